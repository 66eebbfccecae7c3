"""Power cuts: SIGKILL, and only what had reached the disk's image is left. Also a full and a dying disk."""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from harness import people
from harness.campaign import Campaign, Report
from store import loop
from store.verdict import Verdict, judge, promised
from store.worker import KEY, Orders, configure, work

from kiosk.config import load_config
from kiosk.domain.case import CaseReceipt
from kiosk.store import ballast
from kiosk.store.ballast import Room
from kiosk.store.cases import CaseStore, SubmitFailed
from kiosk.store.key import DatabaseKey
from kiosk.store.opening import open_store
from kiosk.sync.sealer import EnvelopeSealer

CUTS = 40
CONTROLS = 6
NOW = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
_MB = 1 << 20
_START_S = 60.0


@pytest.fixture
def memory() -> Iterator[Path]:
    with loop.memory() as folder:
        yield folder


def cut_off(memory: Path, beside: Path, cuts: int, chance: random.Random, synchronous: str = "") -> tuple[list[Verdict], int]:
    """One machine through many cuts, each time going on with what was left. Stops when something is lost."""
    beside.mkdir()
    image, at, acks = loop.make_image(memory / f"{beside.name}.0", 96), memory / beside.name, beside / "acks"
    acks.touch()
    verdicts: list[Verdict] = []
    for n in range(1, cuts + 1):
        with loop.Disk(image, at) as disk:
            config = configure(at, beside)
            told = len(promised(acks.read_bytes()))
            orders = Orders(str(config), str(acks), first=told + 1, last=told + 5000, synchronous=synchronous)
            worker = loop.Forked(partial(work, orders), beside / "said")
            try:
                deadline = time.monotonic() + _START_S
                while len(promised(acks.read_bytes())) == told and time.monotonic() < deadline:
                    time.sleep(0.005)
                worker.wait(chance.uniform(0.0, 0.5))
            finally:
                worker.kill()
            fresh = disk.cut(memory / f"{beside.name}.{n}")
        image.unlink()
        image = fresh
        with loop.Disk(image, at):
            verdicts.append(judge(at / "terminal.db", DatabaseKey(KEY), promised(acks.read_bytes())))
        if not verdicts[-1].good:
            break
    return verdicts, len(promised(acks.read_bytes()))


def test_power_cuts(memory: Path, tmp_path: Path, campaign: Campaign, report: Report) -> None:
    with loop.lazy_kernel():
        verdicts, accepted = cut_off(memory, tmp_path / "full", campaign.many(CUTS, least=30), campaign.random("store/cuts"))
        controls = [
            cut_off(memory, tmp_path / f"off{n}", 2, campaign.random(f"store/off{n}"), "OFF")[0] for n in range(CONTROLS)
        ]
    bad = [one for one in verdicts if not one.good]
    seen = sum(any(not one.good for one in found) for found in controls)
    report(
        "power cuts", f"{len(verdicts)} cuts", accepted=accepted, lost=sum(one.lost for one in bad),
        doubled=sum(one.doubled for one in bad), other=sum(len(one.broken) for one in bad),
        control=f"OFF: {seen} of {CONTROLS} machines lose",
    )
    assert not bad, bad
    assert accepted > len(verdicts)
    assert seen, "a store that syncs nothing lost nothing: the harness sees no loss"


def test_a_full_disk(memory: Path, tmp_path: Path, report: Report) -> None:
    image, at, acks = loop.make_image(memory / "small", 32), memory / "full", tmp_path / "acks"
    acks.touch()
    with loop.Disk(image, at):
        config = configure(at, tmp_path, ballast_mb=4)
        filler = at / "logs of some other program"
        filler.write_bytes(bytes(12 * _MB))
        orders = Orders(str(config), str(acks), last=5000, checkpoint=1000, ballast=True)
        worker = loop.Forked(partial(work, orders), tmp_path / "said")
        assert worker.wait(300)
        refused = (tmp_path / "said").read_text().split("refused ")[1].split()
        told = promised(acks.read_bytes())
        assert refused[:2] == [str(len(told) + 1), "disk_low"]
        assert (at / "terminal.db.ballast").stat().st_size == 0
        verdict = judge(at / "terminal.db", DatabaseKey(KEY), told)
        settings = load_config(config)
        engine = open_store(settings)
        given = ballast.of(engine)
        assert given is not None
        room = Room(engine, given, lambda: None)
        _fill(at / "more logs")
        assert not room.run()
        store, sealer, now = CaseStore(engine, 0), EnvelopeSealer(engine, simulated=True), NOW
        assert isinstance(store.submit(people.draft(90_000, now), sealer, now), SubmitFailed)
        filler.unlink()
        (at / "more logs").unlink()
        assert room.run() and given.stands
        assert isinstance(store.submit(people.draft(90_000, now), sealer, now), CaseReceipt)
        engine.dispose()
        invented = judge(at / "terminal.db", DatabaseKey(KEY), {**told, "invented": "00"})
    report("disk full", "1 disk filled, ballast given up and made again", accepted=len(told), lost=verdict.lost,
           doubled=verdict.doubled, other=len(verdict.broken), control=f"invented promise: {invented.lost} lost")
    assert verdict.good, verdict
    assert invented.lost == 1


def _fill(path: Path) -> None:
    """To the last block."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_a_dying_disk(memory: Path, tmp_path: Path, report: Report) -> None:
    """The kernel makes it read-only in the middle: nobody is told 已受理, and nothing is called damaged."""
    image, at = loop.make_image(memory / "dying", 32), memory / "ro"
    acks, said = tmp_path / "acks", tmp_path / "said"
    acks.touch()
    with loop.Disk(image, at, "commit=600,errors=remount-ro") as disk:
        config = configure(at, tmp_path)
        worker = loop.Forked(partial(work, Orders(str(config), str(acks), last=5000)), said)
        while len(promised(acks.read_bytes())) < 20:
            assert not worker.wait(0.01), said.read_text()
        disk.fail()
        assert worker.wait(60)
        assert loop.Forked(partial(work, Orders(str(config), str(acks), last=5000)), said).wait(60)
    refused, again = said.read_text().splitlines()
    loop.repair(image)
    with loop.Disk(image, at):
        told = promised(acks.read_bytes())
        verdict = judge(at / "terminal.db", DatabaseKey(KEY), told)
        visit = int(refused.split()[1])
        assert loop.Forked(partial(work, Orders(str(config), str(acks), first=visit, last=visit + 1)), said).wait(60)
        after = judge(at / "terminal.db", DatabaseKey(KEY), promised(acks.read_bytes()))
        invented = judge(at / "terminal.db", DatabaseKey(KEY), {**told, "invented": "00"})
    report("dying disk", f"read-only in mid-work: {refused.split()[2]}, then {again}", accepted=len(told),
           lost=verdict.lost + after.lost, doubled=verdict.doubled + after.doubled, other=len(verdict.broken),
           control=f"invented promise: {invented.lost} lost")
    assert again.split()[0] in ("unusable", "refused") and "damaged" not in again, again
    assert verdict.good and after.good, (verdict, after, said.read_text())
    assert visit == len(told) + 1 and after.cases == len(told) + 2 == len(promised(acks.read_bytes()))
    assert invented.lost == 1
