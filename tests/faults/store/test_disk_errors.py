"""Errors of the disk itself, made by the shim: fsync that fails, once or for ever, and room that ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.campaign import Campaign, Report
from store.shimmed import compile_shim, run_worker
from store.verdict import judge, promised
from store.worker import KEY

from kiosk.store.key import DatabaseKey

CASES = 6


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_shim(tmp_path_factory.mktemp("shim"))


def test_fsync_fails_at_the_commit(shim: Path, tmp_path: Path, campaign: Campaign, report: Report) -> None:
    """Trap 4: the row may be there after a restart. Nobody is told so, no further case is taken, and the same wish made
    again is the same case."""
    chance = campaign.random("store/eio")
    trials = [(k, sticky) for k in range(1, campaign.many(CASES, least=3) + 1) for sticky in (False, True)]
    lost = doubled = other = accepted = came_back = 0
    for n, (k, sticky) in enumerate(trials):
        beside = tmp_path / str(n)
        run_worker(shim, beside, logged=False, last=1)
        first = run_worker(shim, beside, logged=False, first=2, last=9, checkpoint=9999, fail_fsync=k, sticky=sticky)
        words = first.said.split()
        assert words[0] == "refused" and words[2].startswith("SQLITE_IOERR") and words[3] == "1", first.said
        visit, told = int(words[1]), promised(first.acks.read_bytes())
        assert len(told) == visit - 1
        before = judge(first.folder / "terminal.db", DatabaseKey(KEY), told)
        run_worker(shim, beside, logged=False, first=visit, last=visit + chance.randint(1, 3))
        told = promised(first.acks.read_bytes())
        after = judge(first.folder / "terminal.db", DatabaseKey(KEY), told)
        lost += before.lost + after.lost
        doubled += after.doubled + (after.cases - len(told))
        other += len(before.broken) + len(after.broken)
        came_back += before.cases - (visit - 1)
        accepted += len(told)
    invented = judge(first.folder / "terminal.db", DatabaseKey(KEY), {**told, "invented": "00"})
    report("I/O error at commit", f"{len(trials)} failed fsyncs, {came_back} rows were there after the restart",
           accepted=accepted, lost=lost, doubled=doubled, other=other, control=f"invented promise: {invented.lost} lost")
    assert (lost, doubled, other) == (0, 0, 0)
    assert invented.lost == 1


def test_fsync_fails_at_the_checkpoint(shim: Path, tmp_path: Path, report: Report) -> None:
    """The log keeps everything; nothing is lost by a checkpoint that does not succeed."""
    ran = run_worker(shim, tmp_path, logged=False, last=1)
    failing = {"fail_fsync": 1, "sticky": True, "fail_on": "terminal.db"}
    ran = run_worker(shim, tmp_path, logged=False, first=2, last=40, checkpoint=20, **failing)
    run_worker(shim, tmp_path, logged=False, first=len(promised(ran.acks.read_bytes())) + 1, last=45)
    told = promised(ran.acks.read_bytes())
    found = judge(ran.folder / "terminal.db", DatabaseKey(KEY), told)
    report("I/O error at checkpoint", "every fsync of the database failed", accepted=len(told), lost=found.lost,
           doubled=found.doubled, other=len(found.broken))
    assert found.good and found.cases == len(told) == 45


def test_room_ends_anywhere(shim: Path, tmp_path: Path, campaign: Campaign, report: Report) -> None:
    """ENOSPC after any number of bytes: what was promised is there, the one who stands there is refused, and later taken."""
    chance = campaign.random("store/enospc")
    trials, lost, doubled, other, accepted = campaign.many(8, least=3), 0, 0, 0, 0
    for n in range(trials):
        beside = tmp_path / str(n)
        run_worker(shim, beside, logged=False, last=1)
        ran = run_worker(shim, beside, logged=False, first=2, last=500, room=chance.randint(1_000, 400_000))
        words = ran.said.split()
        assert words[0] in ("refused", "unusable"), ran.said
        visit, told = int(words[1]), promised(ran.acks.read_bytes())
        before = judge(ran.folder / "terminal.db", DatabaseKey(KEY), told)
        run_worker(shim, beside, logged=False, first=visit, last=visit + 1)
        told = promised(ran.acks.read_bytes())
        after = judge(ran.folder / "terminal.db", DatabaseKey(KEY), told)
        lost += before.lost + after.lost
        doubled += after.doubled + (after.cases - len(told))
        other += len(before.broken) + len(after.broken)
        accepted += len(told)
    report("room ends", f"{trials} times at a random byte", accepted=accepted, lost=lost, doubled=doubled, other=other)
    assert (lost, doubled, other) == (0, 0, 0)
