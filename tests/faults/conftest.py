"""The fault campaign: `make faults`, or a part of it with `pytest tests/faults/test_x.py --seed 7 --scale 0.1`.

Everything under this folder is marked `faults` and so no part of the quick tests, except what is marked `quick`.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # report.py, harness/
sys.path.insert(0, str(HERE.parent / "sync"))  # office_stub.py, drafts.py

import report as campaign_report  # noqa: E402
from harness.campaign import Campaign, Report  # noqa: E402

_LIMIT_S = 3600


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fault campaign")
    group.addoption("--seed", type=int, default=None, help="seed of the campaign; printed; the same one repeats it")
    group.addoption("--scale", type=float, default=1.0, help="how much of it: 0.1 is a tenth of the kills and cases")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("faults")
            item.add_marker(pytest.mark.timeout(_LIMIT_S))


def pytest_report_header(config: pytest.Config) -> str:
    return f"fault campaign: --seed {_seed(config)} --scale {config.getoption('--scale', 1.0)}"


@pytest.fixture(scope="session")
def campaign(pytestconfig: pytest.Config) -> Campaign:
    return Campaign(_seed(pytestconfig), pytestconfig.getoption("--scale", 1.0))


@pytest.fixture
def report(campaign: Campaign) -> Report:
    """report("kill -9", "312 kills", accepted=900, lost=0, control="red: 3 lost"): saves one row of the table."""
    began = time.monotonic()

    def save(
        trial: str, did: str, accepted: int, lost: int = 0, doubled: int = 0, other: int = 0, control: str = "",
    ) -> None:
        seconds = time.monotonic() - began
        campaign_report.save(campaign_report.Row(trial, campaign.seed, did, accepted, lost, doubled, other, control, seconds))

    return save


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    yield


_drawn: list[int] = []


def _seed(config: pytest.Config) -> int:
    given = config.getoption("--seed", None)
    if given is not None:
        return int(given)
    if not _drawn:
        _drawn.append(random.SystemRandom().randrange(1_000_000))
    return _drawn[0]
