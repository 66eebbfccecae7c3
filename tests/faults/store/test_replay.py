"""Write-order replay: of every state a cut may leave, each holds all that was promised; with less care some do not."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from harness.campaign import Campaign, Report
from store import replay
from store.shimmed import Ran, compile_shim, run_worker
from store.verdict import Verdict, judge, promised
from store.worker import KEY

from kiosk.store.key import DatabaseKey

CASES = 60
STATES = 300
_ACKS = "acks"


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_shim(tmp_path_factory.mktemp("shim"))


def states(ran: Ran, count: int, chance: random.Random, place: Path) -> tuple[list[Verdict], int]:
    """Verdicts, and the most receipts any of the states had to keep."""
    steps = list(replay.steps(ran.log))
    first = next(n for n, step in enumerate(steps) if step.name == _ACKS)
    cuts = sorted(chance.randrange(first if chance.random() < 0.9 else 0, len(steps)) for _ in range(count))
    disk, acks, verdicts, most = replay.Disk(), b"", [], 0
    for n, step in enumerate(steps):
        if step.name == _ACKS:
            acks += step.data
        else:
            disk.take(step)
        while cuts and cuts[0] == n:
            cuts.pop(0)
            _lay_out(place, disk.after_a_cut(chance.choice(replay.MODES), chance))
            told = promised(acks)
            most = max(most, len(told))
            verdicts.append(judge(place / "terminal.db", DatabaseKey(KEY), told))
    return verdicts, most


def _lay_out(place: Path, files: dict[str, bytes]) -> None:
    """The index of the log is not on the disk in any sense."""
    place.mkdir(exist_ok=True)
    for old in place.iterdir():
        old.unlink()
    for name, content in files.items():
        if not name.endswith("-shm"):
            (place / name).write_bytes(content)


def test_write_order_replay(shim: Path, tmp_path: Path, campaign: Campaign, report: Report) -> None:
    chance = campaign.random("store/replay")
    ran = run_worker(shim, tmp_path / "full", last=CASES)
    assert "done" in ran.said
    verdicts, most = states(ran, campaign.many(STATES, least=100), chance, tmp_path / "state")
    controls = {}
    for mode in ("NORMAL", "OFF"):
        lax = run_worker(shim, tmp_path / mode, last=CASES, synchronous=mode)
        found, _ = states(lax, campaign.many(100, least=60), campaign.random(f"store/{mode}"), tmp_path / "state")
        controls[mode] = (sum(not one.good for one in found), len(found))
    bad = [one for one in verdicts if not one.good]
    report(
        "write-order replay", f"{len(verdicts)} states of {CASES} cases", accepted=most, lost=sum(one.lost for one in bad),
        doubled=sum(one.doubled for one in bad), other=sum(len(one.broken) for one in bad),
        control=", ".join(f"{mode}: {hit} of {of} states lose" for mode, (hit, of) in controls.items()),
    )
    assert most > CASES * 0.8
    assert not bad, bad[:5]
    assert all(hit for hit, _ in controls.values()), controls
