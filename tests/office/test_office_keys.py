"""The office's keys: rotation without losing a case (LC-29), and the file in the safe, drilled from loss to restoration."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from office_stub import make_draft
from sqlalchemy import Engine
from test_office_served import run, served
from townhall import Line, body

from kiosk.config import KioskConfig, Mode, StoreConfig
from kiosk.domain.case import CaseReceipt
from kiosk.office import escrow, intake, key_service, keys
from kiosk.office.escrow import EscrowError
from kiosk.office.models import AuditEntry, Terminal
from kiosk.store.audit import entries
from kiosk.store.cases import CaseStore
from kiosk.store.opening import open_store
from kiosk.sync import service
from kiosk.sync.enrol import enrol
from kiosk.sync.heartbeat import heartbeat_once
from kiosk.sync.identity import Identity, load_identity
from kiosk.sync.office_keys import learn
from kiosk.sync.sealer import EnvelopeSealer
from kiosk.sync.status import read_status
from kiosk.sync.wire.enrolment import EnrolmentCode
from kiosk.sync.wire.keys import key_id, public_hex
from kiosk.sync.wire.models import OfficeKeys
from kiosk.sync.wire.signing import Context, sign
from kiosk.sync.wire.suites import HPKE, SM

PASSPHRASE = "five words for the safe"
NOW = dt.datetime(2026, 11, 25, 1, 0, tzinfo=dt.UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys.create_missing(tmp_path / "office")
    return tmp_path / "office"


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A passphrase is hard to guess at the price of half a second; the tests of this file open many."""
    monkeypatch.setattr(escrow, "_N", 2**14)


# ------------------------------------------------------------------------------------------------ key files


def test_keys_are_read_again_only_when_a_file_changes(folder: Path) -> None:
    first = keys.load(folder)
    assert keys.load(folder) is first
    (folder / "office.db").write_text("something else")
    assert keys.load(folder) is first
    keys.rotate_sealing(folder)
    assert keys.load(folder) is not first


def test_a_rotation_keeps_what_opened_before(folder: Path) -> None:
    first = keys.load(folder)
    rotations = [keys.rotate_sealing(folder) for _ in range(3)]
    office = keys.load(folder)
    assert rotations[0][0] == first.sealing_id and rotations[2][1] == office.sealing_id
    assert len({first.sealing_id, *(after for _, after in rotations)}) == 4
    for kid in (first.sealing_id, *(after for _, after in rotations)):
        opener = office.opener(kid)
        assert opener is not None and key_id(opener.public_key()) == kid
    assert office.opener("00" * 8) is None
    assert office.signing_public == first.signing_public
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.glob("*.key"))


def test_cut_off_in_the_middle_nothing_is_lost(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = keys.load(folder)

    def cut(*_: object) -> None:
        raise OSError(5, "power cut")

    with monkeypatch.context() as broken:
        broken.setattr(keys, "_replace", cut)
        with pytest.raises(OSError):
            keys.rotate_sealing(folder)
    office = keys.load(folder)
    assert office.sealing_id == first.sealing_id and office.opener(first.sealing_id) is not None
    keys.rotate_sealing(folder)
    assert keys.load(folder).opener(first.sealing_id) is not None


def test_two_hands_at_once_lose_no_key(folder: Path) -> None:
    first = keys.load(folder).sealing_id
    script = f"from kiosk.office import keys; from pathlib import Path; print(*keys.rotate_sealing(Path({str(folder)!r})))"
    running = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    after = {one.communicate(timeout=60)[0].split()[1] for one in running}
    office = keys.load(folder)
    assert len(after) == 4 and all(office.opener(kid) is not None for kid in (first, *after))


def test_a_signing_key_is_announced_before_it_signs(folder: Path) -> None:
    first = keys.load(folder)
    with pytest.raises(FileNotFoundError):
        keys.switch_signing(folder)
    kid = keys.announce_signing(folder)
    assert keys.announce_signing(folder) == kid, "the same one, however often it is asked for"
    office = keys.load(folder)
    assert office.signing_public == first.signing_public == office.announced.signing[0]
    assert len(office.announced.signing) == 2
    assert keys.switch_signing(folder) == (first.signing_id, kid)
    assert keys.load(folder).signing_id == kid and len(keys.load(folder).announced.signing) == 1


def test_a_key_does_not_show(folder: Path) -> None:
    keys.rotate_sealing(folder)
    secret = (folder / "sealing.key").read_text().strip()
    assert secret not in repr(keys.load(folder))


# ------------------------------------------------------------------------------------------------ the file


def test_what_is_exported_is_read_back(folder: Path, cheap: None) -> None:
    keys.rotate_sealing(folder)
    keys.announce_signing(folder)
    office, file = keys.load(folder), folder / "escrow"
    fingerprint = escrow.export(folder, file, PASSPHRASE, NOW)
    assert fingerprint == escrow.fingerprint(file) and len(fingerprint.replace(" ", "")) == 20
    found = escrow.read(file, PASSPHRASE)
    assert [key_id(key.public_key()) for key in found.sealing] == [office.sealing_id, *office.earlier]
    assert len(found.signing) == 2 and file.stat().st_mode & 0o777 == 0o600
    clear = json.loads(file.read_bytes())["clear"]
    assert (clear["version"], clear["sealing"][0], clear["kdf"]) == (1, office.sealing_id, "scrypt")
    for path in folder.glob("s*.key"):
        assert path.read_text().strip() not in file.read_text()


def test_what_is_really_written_is_hard_to_guess(folder: Path) -> None:
    escrow.export(folder, folder / "escrow", PASSPHRASE, NOW)
    clear = json.loads((folder / "escrow").read_bytes())["clear"]
    assert clear["n"] * clear["r"] * 128 == 128 * 2**20


def test_an_export_never_overwrites_and_needs_a_passphrase(folder: Path, cheap: None) -> None:
    file = folder / "escrow"
    with pytest.raises(EscrowError, match="weak_passphrase"):
        escrow.export(folder, file, "short", NOW)
    assert not file.exists()
    escrow.export(folder, file, PASSPHRASE, NOW)
    before = file.read_bytes()
    with pytest.raises(FileExistsError):
        escrow.export(folder, file, PASSPHRASE, NOW)
    assert file.read_bytes() == before


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_any_change_to_the_file_is_noticed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("escrow")
    keys.create_missing(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(escrow, "_N", 2**14)
        escrow.export(folder, folder / "escrow", PASSPHRASE, NOW)
    raw = bytearray((folder / "escrow").read_bytes())
    place = data.draw(st.integers(0, len(raw) - 2))
    raw[place] ^= 1 << data.draw(st.integers(0, 7))
    (folder / "escrow").write_bytes(raw)
    with pytest.raises(EscrowError) as failure:
        escrow.read(folder / "escrow", PASSPHRASE)
    assert failure.value.code in ("not_an_escrow", "newer", "wrong_passphrase")


@pytest.mark.parametrize("change", [
    ('"n":16384', '"n":1073741824'), ('"version":1', '"version":0'), ('"r":8', '"r":4000'), ('"kiosk":', '"k":'), ("{", ""),
])
def test_a_hostile_file_costs_nothing(folder: Path, cheap: None, change: tuple[str, str]) -> None:
    escrow.export(folder, folder / "escrow", PASSPHRASE, NOW)
    text = (folder / "escrow").read_text().replace(*change, 1)
    (folder / "escrow").write_text(text)
    with pytest.raises(EscrowError):
        escrow.read(folder / "escrow", PASSPHRASE)


def test_a_newer_file_is_said_to_be_one(folder: Path, cheap: None) -> None:
    escrow.export(folder, folder / "escrow", PASSPHRASE, NOW)
    (folder / "escrow").write_text((folder / "escrow").read_text().replace('"version":1', '"version":2'))
    with pytest.raises(EscrowError, match="newer"):
        escrow.read(folder / "escrow", PASSPHRASE)


@pytest.mark.parametrize("wrong", ["", PASSPHRASE + " ", PASSPHRASE.upper(), "\ud800" * 12])
def test_a_wrong_passphrase(folder: Path, cheap: None, wrong: str) -> None:
    escrow.export(folder, folder / "escrow", PASSPHRASE, NOW)
    with pytest.raises(EscrowError, match="wrong_passphrase"):
        escrow.read(folder / "escrow", wrong)


def test_restoring_replaces_nothing(folder: Path, tmp_path: Path, cheap: None) -> None:
    keys.rotate_sealing(folder)
    escrow.export(folder, tmp_path / "escrow", PASSPHRASE, NOW)
    found, office = escrow.read(tmp_path / "escrow", PASSPHRASE), keys.load(folder)
    assert escrow.restore(folder, found) == []
    empty = tmp_path / "new machine"
    assert set(escrow.restore(empty, found)) == {"sealing.key", "signing.key", *(f"sealing-{kid}.key" for kid in office.earlier)}
    assert not keys.create_missing(empty) or (empty / "secret.key").exists()
    assert keys.load(empty).announced == office.announced and dict(keys.load(empty).earlier).keys() == office.earlier.keys()


def test_restoring_beside_a_key_made_meanwhile(folder: Path, tmp_path: Path, cheap: None) -> None:
    """Somebody ran `init` before the safe was opened: the lost key opens again, the new one stays."""
    escrow.export(folder, tmp_path / "escrow", PASSPHRASE, NOW)
    lost = keys.load(folder)
    (folder / "sealing.key").unlink()
    keys.create_missing(folder)
    fresh = keys.load(folder).sealing_id
    assert escrow.restore(folder, escrow.read(tmp_path / "escrow", PASSPHRASE)) == [f"sealing-{lost.sealing_id}.key"]
    assert keys.load(folder).sealing_id == fresh and keys.load(folder).opener(lost.sealing_id) is not None


def test_another_offices_signing_key_is_said_and_left(folder: Path, tmp_path: Path, cheap: None) -> None:
    other = tmp_path / "other"
    keys.create_missing(other)
    escrow.export(folder, tmp_path / "escrow", PASSPHRASE, NOW)
    before = (other / "signing.key").read_text()
    with pytest.raises(EscrowError, match="other_signing_key"):
        escrow.restore(other, escrow.read(tmp_path / "escrow", PASSPHRASE))
    assert (other / "signing.key").read_text() == before
    assert keys.load(other).opener(keys.load(folder).sealing_id) is not None


# ------------------------------------------------------------------------------------------------ the terminal learns


def test_an_announcement_without_its_own_signer_is_not_taken(machine, caplog: pytest.LogCaptureFixture) -> None:
    identity = load_identity(machine.engine)
    assert identity is not None
    stranger, office = Ed25519PrivateKey.generate(), OfficeKeys(sealing="ab" * 32, signing=("cd" * 32,))
    assert not learn(machine.engine, identity, office, b"answer", sign(Context.HEARTBEAT_ANSWER, b"answer", stranger))
    known = load_identity(machine.engine)
    assert known is not None and public_hex(known.office_sealing) == public_hex(identity.office_sealing)
    assert "without the one it signs with" in caplog.text and len(entries(machine.engine, 100)) == 1


def test_what_it_learns_it_keeps_and_puts_on_record(machine) -> None:
    identity = load_identity(machine.engine)
    assert identity is not None
    signer = Ed25519PrivateKey.generate()
    told = OfficeKeys(sealing="ab" * 32, signing=(public_hex(signer.public_key()),))
    signature = sign(Context.HEARTBEAT_ANSWER, b"answer", signer)
    assert learn(machine.engine, identity, told, b"answer", signature)
    known = load_identity(machine.engine)
    assert known is not None and public_hex(known.office_sealing) == "ab" * 32 and known.epoch == identity.epoch
    assert [public_hex(key) for key in known.office_signing] == list(told.signing)
    assert json.loads(entries(machine.engine, 1)[0].event)["act"] == "office_keys_changed"
    assert not learn(machine.engine, identity, told, b"answer", signature)
    assert len(entries(machine.engine, 100)) == 2


# ------------------------------------------------------------------------------------------------ everything together


@dataclass
class House:
    """A served office and one real terminal."""

    data: Path
    config: KioskConfig
    engine: Engine

    def kiosk(self, *words: str, stdin: str = "", status: int = 0) -> str:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("KIOSK_", "DJANGO_"))}
        command = [sys.executable, "-W", "error", "-m", "kiosk", "office", *words, "--data", str(self.data)]
        done = subprocess.run(command, input=stdin, env=clean, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == status and "Traceback" not in done.stderr, done.stdout + done.stderr
        assert PASSPHRASE not in done.stdout + done.stderr
        return done.stdout + done.stderr

    def hand_in(self, repeat: int) -> str:
        receipt = CaseStore(self.engine, 0).submit(make_draft(repeat=repeat), EnvelopeSealer(self.engine, True), NOW)
        assert isinstance(receipt, CaseReceipt), receipt
        return receipt.case_id

    def beat(self) -> None:
        heartbeat_once(self.engine, self.config, lambda: dt.datetime.now(dt.UTC))
        assert read_status(self.engine, dt.datetime.now(dt.UTC)).heartbeat_trouble is None

    def deliver(self) -> service.SyncStatus:
        return service.once(self.config)

    @property
    def sealing_id(self) -> str:
        identity = load_identity(self.engine)
        assert identity is not None
        return key_id(identity.office_sealing)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    data, box = tmp_path / "office", tmp_path / "box"
    box.mkdir()
    run(data, "service.init(admin_password='a long word 23')")
    config = KioskConfig(mode=Mode.DEMO, store=StoreConfig(path=box / "terminal.db"))
    engine = open_store(config)
    yield House(data, config, engine)
    engine.dispose()


def let_in(house: House, url: str) -> None:
    code = EnrolmentCode.decode(run(house.data, "print(service.enrol_terminal('HG01', '含湖村'))"))
    enrolled = enrol(house.engine, code.model_copy(update={"url": url}), "t", 5, 5)
    assert isinstance(enrolled, Identity), enrolled


def opened(house: House, *case_ids: str) -> bool:
    """Once everything that waits was looked at."""
    states = run(house.data, (
        "from kiosk.office import bootstrap; bootstrap.configure()\n"
        "from kiosk.office import held, intake; held.promote(); intake.open_due()\n"
        "from kiosk.office.models import Case; print(*Case.objects.values_list('pk', flat=True))"
    ))
    return set(case_ids) <= set(states.split())


def test_lc_29_keys_change_while_a_terminal_is_offline(house: House) -> None:
    with served(house.data) as url:
        let_in(house, url)
        first, old = house.hand_in(0), house.sealing_id
        for _ in range(2):
            assert "Export the escrow again" in house.kiosk("rotate-sealing-key")
        second = house.hand_in(1)
        house.beat()
        assert house.sealing_id == keys.load(house.data).sealing_id != old
        third = house.hand_in(2)
        assert house.deliver().delivered == 3
        assert opened(house, first, second, third)
        assert "no signing key is announced" in house.kiosk("rotate-signing-key", status=1)
        house.kiosk("announce-signing-key")
        assert "HG01" in house.kiosk("rotate-signing-key", status=1)
        house.beat()
        assert "HG01" in house.kiosk("rotate-signing-key", status=1), "that it was told is not that it knows"
        house.beat()
        house.kiosk("rotate-signing-key")
        house.beat()
        identity = load_identity(house.engine)
        assert identity is not None
        assert [key_id(key) for key in identity.office_signing] == [keys.load(house.data).signing_id]
        fourth = house.hand_in(3)
        assert house.deliver().delivered == 4
        assert opened(house, fourth)


def test_the_drill_from_loss_to_restoration(house: House, tmp_path: Path) -> None:
    safe = tmp_path / "safe.json"
    with served(house.data) as url:
        let_in(house, url)
        before = [house.hand_in(repeat) for repeat in range(2)]
        house.deliver()
        house.kiosk("rotate-sealing-key")
        house.beat()
        later = house.hand_in(2)
        house.deliver()
        assert "fingerprint" in house.kiosk("escrow", "export", str(safe), stdin=PASSPHRASE + "\n")
        good = json.loads(house.kiosk("escrow", "drill", str(safe), "--json", stdin=PASSPHRASE + "\n"))
        assert good == {
            "test_message": True, "signature": True, "opened": 3, "failed": 0, "waiting": 0, "good": True,
        }
        waiting = house.hand_in(3)  # sealed, and the office loses its key before it arrives
    for path in house.data.glob("sealing*.key"):
        path.unlink()
    lost = json.loads(house.kiosk("escrow", "drill", str(safe), "--json", stdin=PASSPHRASE + "\n", status=1))
    assert (lost["test_message"], lost["opened"], lost["good"]) == (None, 3, False)
    assert "wrong passphrase" in house.kiosk("escrow", "restore", str(safe), stdin="another passphrase\n", status=1)
    keys.create_missing(house.data)  # the worst: somebody runs `init` all the same
    stale = json.loads(house.kiosk("escrow", "drill", str(safe), "--json", stdin=PASSPHRASE + "\n", status=1))
    assert (stale["test_message"], stale["opened"]) == (False, 3), "the file in the safe does not hold the new key"
    with served(house.data) as url:
        moved(house, url)
        assert house.deliver().held == 1
        told = house.kiosk("escrow", "restore", str(safe), stdin=PASSPHRASE + "\n")
        assert told.count("sealing-") == 2 and "sealing.key" not in told
        assert opened(house, *before, later, waiting)
        made_now = house.hand_in(4)
        house.deliver()
        assert opened(house, made_now)
    audited = run(house.data, (
        "from kiosk.office import bootstrap; bootstrap.configure()\n"
        "from kiosk.office.models import AuditEntry\n"
        "print(*AuditEntry.objects.filter(action='escrow').order_by('n').values_list('subject', flat=True))"
    ))
    assert audited.split() == ["exported", "drilled", "drill_failed", "drill_failed", "restored"]


def moved(house: House, url: str) -> None:
    """The office came back under another port."""
    with house.engine.begin() as connection:
        (text,) = connection.exec_driver_sql("SELECT value FROM setting WHERE name = 'identity'").one()
        stored = json.loads(text) | {"office_url": url}
        connection.exec_driver_sql("UPDATE setting SET value = ? WHERE name = 'identity'", (json.dumps(stored),))


def test_a_terminal_may_be_held_to_one_algorithm(line: Line) -> None:
    """By the office's own list: whatever the message names."""
    def answers() -> list[int]:
        sent = [line.terminal.envelope(body(), alg=alg) for alg in (HPKE, SM)]
        return [line.put(data, case_id).status_code for case_id, data in sent]

    assert answers() == [201, 201]
    key_service.allow_algorithms("HG01", (SM,))
    assert answers() == [422, 201]
    Terminal.objects.filter(pk="HG01").update(algorithms=["rot13"])
    assert answers() == [422, 422]
    key_service.allow_algorithms("HG01", ())
    assert answers() == [201, 201] and intake.open_due() == 5
    for terminal_id, names in (("HG01", ("rot13",)), ("ZZ99", ())):
        with pytest.raises(ValueError):
            key_service.allow_algorithms(terminal_id, names)
    changed = AuditEntry.objects.filter(action="keys_changed", subject="HG01").order_by("n")
    assert [entry.detail["algorithms"] for entry in changed] == [SM, ""]
