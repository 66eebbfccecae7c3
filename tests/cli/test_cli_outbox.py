"""`kiosk sync outbox` and `kiosk sync requeue`: what waits, without a word about anybody, and refused cases again."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "sync"))  # drafts.py

from drafts import NAME, NUMBER, make_enrolment

from kiosk.config import KioskConfig, Mode, StoreConfig
from kiosk.domain.case import CaseReceipt
from kiosk.store.cases import CaseStore, Draft, Sealed, Terminal, Ticket
from kiosk.store.opening import open_store
from kiosk.store.outbox import Outbox, count


class Pieces:
    """Seals into two pieces."""

    def terminal(self) -> Terminal:
        return Terminal("HG01", 1)

    def seal(self, draft: Draft, ticket: Ticket) -> Sealed:
        return Sealed(ticket.case_id.encode(), "00", (ticket.case_id.encode() + b"1", ticket.case_id.encode() + b"2"))


def kiosk(config: Path, *words: str, status: int = 0) -> str:
    command = [sys.executable, "-m", "kiosk", "sync", *words, "-c", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == status and "Traceback" not in done.stderr, done.stdout + done.stderr
    assert NUMBER not in done.stdout and NAME not in done.stdout
    return done.stdout if status == 0 else done.stderr


def test_what_waits_and_sending_it_again(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("0f" * 32)
    config = tmp_path / "terminal.toml"
    database, key = tmp_path / "terminal.db", tmp_path / "key"
    config.write_text(f'mode = "demo"\n[store]\npath = "{database}"\nkey_file = "{key}"\n')
    engine = open_store(KioskConfig(mode=Mode.DEMO, store=StoreConfig(path=database, key_file=key)))
    assert kiosk(config, "outbox") == "" and json.loads(kiosk(config, "outbox", "--json")) == []
    now = dt.datetime.now(dt.UTC)
    store, outbox = CaseStore(engine, 0), Outbox(engine, 1, 60)
    receipts = [store.submit(make_enrolment(repeat), Pieces(), now) for repeat in range(2)]
    first, second = (one for one in receipts if isinstance(one, CaseReceipt))
    outbox.dead(first.case_id, "conflict", b"{}", "00", now)
    piece = outbox.next_piece(second.case_id)
    assert piece is not None
    outbox.piece_delivered(piece.sha256, now)
    lines = kiosk(config, "outbox").splitlines()
    assert [line.split() for line in lines] == [
        [first.case_number, "dead", "0", "0.0", "h", "0/2", "conflict"],
        [second.case_number, "pending", "0", "0.0", "h", "1/2", "-"],
    ]
    told = json.loads(kiosk(config, "outbox", "--json"))
    assert [(one["state"], one["pieces_done"], one["pieces"]) for one in told] == [("dead", 0, 2), ("pending", 1, 2)]
    assert kiosk(config, "requeue") == "1 refused cases go again\n" and kiosk(config, "requeue") == "0 refused cases go again\n"
    assert (count(engine).dead, count(engine).unsent) == (0, 2)
    engine.dispose()


@pytest.mark.parametrize("word", ["outbox", "requeue"])
def test_a_store_that_cannot_be_opened(tmp_path: Path, word: str) -> None:
    config = tmp_path / "terminal.toml"
    config.write_text(f'mode = "demo"\n[store]\npath = "{tmp_path}/none/terminal.db"\nkey_file = "{tmp_path}/key"\n')
    assert kiosk(config, word, status=1)
