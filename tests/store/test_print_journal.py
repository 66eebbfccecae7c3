"""The print journal: its own words for what is known, and doubt after every interruption."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from kiosk.domain.slip import PrintOutcome
from kiosk.store.database import open_database
from kiosk.store.key import DatabaseKey
from kiosk.store.print_journal import PrintJournal


@pytest.fixture
def journal(engine: Engine, now: dt.datetime) -> PrintJournal:
    return PrintJournal(engine, lambda: now)


def queue(journal: PrintJournal, copy: int = 1, kind: str = "slip") -> int:
    return journal.queue("HG01-20261123-000001", kind, copy, "ab" * 32, 4000)


def states(engine: Engine) -> dict[int, tuple[str, str]]:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT job, state, evidence FROM print_job"))
        return {job: (state, evidence) for job, state, evidence in rows}


@pytest.mark.parametrize("outcome", list(PrintOutcome))
def test_a_job_to_its_end(journal: PrintJournal, engine: Engine, outcome: PrintOutcome) -> None:
    job = queue(journal)
    assert states(engine)[job] == ("queued", "")
    journal.sending(job)
    assert states(engine)[job] == ("sending", "")
    journal.end(job, outcome, "16121212")
    assert states(engine)[job] == (outcome.value, "16121212")


def test_numbers_are_never_used_again(journal: PrintJournal) -> None:
    assert [queue(journal, copy) for copy in (1, 2, 3)] == [1, 2, 3]


def test_sending_is_on_disk_before_the_call_returns(
    journal: PrintJournal, engine: Engine, database: Path, key: DatabaseKey, tmp_path: Path,
) -> None:
    journal.sending(queue(journal))
    cut = tmp_path / "cut"  # what a power cut would leave
    cut.mkdir()
    for suffix in ("", "-wal"):
        (cut / f"t.db{suffix}").write_bytes(Path(f"{database}{suffix}").read_bytes())
    after = open_database(cut / "t.db", key)
    assert states(after) == {1: ("sending", "")}
    after.dispose()


def test_what_was_interrupted_is_settled_at_start(journal: PrintJournal, engine: Engine) -> None:
    done, sending, queued = queue(journal), queue(journal), queue(journal)
    journal.sending(done)
    journal.end(done, PrintOutcome.PRINTED, "ok")
    journal.sending(sending)
    assert journal.settle_interrupted("slip") == 1
    assert states(engine) == {done: ("printed", "ok"), sending: ("unknown", "interrupted"), queued: ("blocked", "interrupted")}
    assert journal.settle_interrupted("slip") == 0


def test_each_printer_settles_its_own_jobs(journal: PrintJournal, engine: Engine) -> None:
    """The two printers start at different moments: one must not call the other's running job lost."""
    slip, sheet, waiting = queue(journal), queue(journal, kind="a4"), queue(journal, kind="a4")
    journal.sending(slip)
    journal.sending(sheet)
    assert journal.settle_interrupted("slip") == 1
    assert states(engine) == {slip: ("unknown", "interrupted"), sheet: ("sending", ""), waiting: ("queued", "")}
    assert journal.settle_interrupted("a4") == 1
    assert states(engine)[sheet] == ("unknown", "interrupted")
    assert states(engine)[waiting] == ("blocked", "interrupted")


def test_doubt_about_the_last_job_that_was_sent(journal: PrintJournal) -> None:
    """Blocked jobs and those of the other printer touched no paper of this one."""
    assert not journal.last_is_unknown("slip")
    for outcome, doubt in ((PrintOutcome.PRINTED, False), (PrintOutcome.UNKNOWN, True), (PrintOutcome.BLOCKED, True),
                           (PrintOutcome.PRINTED, False), (PrintOutcome.BLOCKED, False)):
        job = queue(journal)
        if outcome is not PrintOutcome.BLOCKED:
            journal.sending(job)
            assert journal.last_is_unknown("slip"), "not even the journal knows yet how it ends"
        journal.end(job, outcome, "")
        assert journal.last_is_unknown("slip") is doubt
    sheet = queue(journal, kind="a4")
    journal.sending(sheet)
    assert (journal.last_is_unknown("slip"), journal.last_is_unknown("a4")) == (False, True)
    queue(journal, kind="a4")
    assert journal.last_is_unknown("a4")


def test_the_journal_fits_the_printers_protocol(journal: PrintJournal) -> None:
    from kiosk.devices.print_journal import PrintJournal as Wanted

    wanted: Wanted = journal
    assert {name for name in dir(Wanted) if not name.startswith("_")} <= set(dir(wanted))
