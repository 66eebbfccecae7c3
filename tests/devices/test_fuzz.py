"""Every byte parser against inputs nobody foresaw: a value or the documented error, of bounded size, and nothing else."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from itertools import islice

import pytest
from fuzz_inputs import inputs
from fuzz_targets import TARGETS, size

SHORT, LONG = 2_000, 1_000_000
SEED = int(os.environ.get("KIOSK_FUZZ_SEED", "1"))
_SLACK = 512
_SLOWEST_S = 20.0
"""For one input, on a machine that does much else."""


@dataclass
class Campaign:
    values: int = 0
    refused: int = 0
    slowest_s: float = 0.0


def fuzz(name: str, count: int) -> Campaign:
    target, campaign = TARGETS[name], Campaign()
    for number, data in enumerate(islice(inputs(target.seeds, SEED), count)):
        began = time.perf_counter()
        try:
            value = target.parse(data)
        except target.refusals:
            campaign.refused += 1
        except Exception as error:
            raise AssertionError(f"{name}, seed {SEED}, input {number}: {data[:300].hex()}") from error
        else:
            campaign.values += 1
            grew = f"{name}, seed {SEED}, input {number} grew: {data[:300].hex()}"
            assert size(value) <= target.factor * len(data) + _SLACK, grew
        campaign.slowest_s = max(campaign.slowest_s, time.perf_counter() - began)
    assert campaign.values, f"{name}: no input was valid, so nothing behind the first check was tried"
    assert campaign.slowest_s < _SLOWEST_S
    return campaign


@pytest.mark.parametrize("name", TARGETS)
def test_short(name: str) -> None:
    fuzz(name, SHORT)


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.timeout(7200)
@pytest.mark.long
def test_long(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    done = fuzz(name, LONG)
    with capsys.disabled():
        print(f"\n{name}: {LONG} inputs in {time.monotonic() - began:.0f} s, {done.values} values, {done.refused} refused, "
              f"slowest {1000 * done.slowest_s:.0f} ms", end="", flush=True)


def test_inputs_are_the_same_for_the_same_seed() -> None:
    seeds = TARGETS["SAM_V frames"].seeds
    assert list(islice(inputs(seeds, 7), 500)) == list(islice(inputs(seeds, 7), 500))
    assert list(islice(inputs(seeds, 7), 500)) != list(islice(inputs(seeds, 8), 500))


def test_a_parser_that_fails_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Careless:
        @staticmethod
        def parse(data: bytes) -> object:
            return data[data[0]] if data else None

    target = TARGETS["SAM id"]
    monkeypatch.setitem(TARGETS, "careless", type(target)(Careless.parse, (b"\1ab",)))
    with pytest.raises(AssertionError, match=r"careless, seed \d+, input \d+"):
        fuzz("careless", SHORT)
    monkeypatch.setitem(TARGETS, "growing", type(target)(lambda data: data * 100, (bytes(50),)))
    with pytest.raises(AssertionError, match="grew"):
        fuzz("growing", SHORT)
