"""A lying network between terminal and office, while both ends are killed: every case arrives once, as it was sealed."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from harness import auditor, credulous
from harness.campaign import Campaign, Report
from harness.proxy import FATES, GOOD
from harness.town import Machine, Town, until

_DRAIN_S = 1200.0


def test_a_lying_network_while_both_ends_are_killed(tmp_path: Path, campaign: Campaign, report: Report) -> None:
    cases = campaign.many(420, 40)
    with Town(tmp_path / "town", campaign.random("network/line"), lies=True) as town:
        kills = _deliver(town, cases, campaign.random("network/kills"))
        found = auditor.reckon(town)
    control = _believing(tmp_path / "control", campaign)
    bad = sum(count for fate, count in town.proxy.fates.items() if fate != GOOD)
    report(
        "lying network", f"{cases} cases, {bad} lies of {sum(town.proxy.fates.values())} requests, {kills} kills",
        control=control.control(), **found.figures,
    )
    assert found.green, found
    assert found.accepted == cases
    if campaign.scale >= 0.5:
        assert set(town.proxy.fates) == set(FATES)
    assert control.lost and control.other, "a receipt nobody signed went unnoticed"


@pytest.mark.parametrize("fate", ["gateway_403", "gateway_404", "gateway_413", "status_422", "status_400", "portal", "redirect"])
def test_a_gateway_that_answers_everything_itself(tmp_path: Path, campaign: Campaign, report: Report, fate: str) -> None:
    """Nothing dies of it, and everything drains when it stops."""
    with Town(tmp_path / "town", campaign.random(fate)) as town:
        assert town.machine.submit(10, pause_s=0.01).wait(60)
        town.proxy.fate_of["/v1/"] = fate
        town.machine.sync()
        until(lambda: town.proxy.fates[fate] >= 40, 60, "it has lied enough")
        assert not auditor.drained(town.machine)
        town.proxy.fate_of.clear()
        until(lambda: auditor.drained(town.machine), 60, "everything is delivered afterwards")
        found = auditor.reckon(town)
    report(f"gateway: {fate}", f"{town.proxy.fates[fate]} lies", **found.figures)
    assert found.green, found


def _deliver(town: Town, cases: int, chance: random.Random) -> int:
    """Until everything is delivered; returns how often a process was killed on the way."""
    machine, kills = town.machine, 0
    submitter = machine.submit(cases, seed=chance.randrange(1 << 30))
    sync = machine.sync()
    due: dict[str, float] = {"submitter": _soon(chance), "sync": _soon(chance), "office": _soon(chance, 2.0)}
    began = time.monotonic()
    while submitter.alive or not auditor.drained(machine):
        assert time.monotonic() < began + _DRAIN_S, "the queue does not drain"
        time.sleep(0.05)
        if time.monotonic() > due["sync"]:
            sync.kill()
            sync, kills, due["sync"] = machine.sync(), kills + 1, _soon(chance)
        if time.monotonic() > due["office"] and town.office is not None:
            town.office.kill()
            town.start_office(wait=False)
            kills, due["office"] = kills + 1, _soon(chance, 3.0)
        if time.monotonic() > due["submitter"] and submitter.alive:
            submitter.kill()
            submitter = machine.submit(cases, seed=chance.randrange(1 << 30))
            kills, due["submitter"] = kills + 1, _soon(chance)
    return kills


def _soon(chance: random.Random, least: float = 0.0) -> float:
    return time.monotonic() + least + chance.uniform(1.0, 4.0)


def _believing(folder: Path, campaign: Campaign) -> auditor.Findings:
    with Town(folder, campaign.random("believing")) as town:
        machine: Machine = town.machine
        assert machine.submit(5, pause_s=0.01).wait(60)
        town.proxy.fate_of["/v1/cases/"] = "portal"
        machine.sync(work=credulous.believing_sync)
        until(lambda: auditor.drained(machine), 60, "it believes the portal")
        return auditor.reckon(town)
