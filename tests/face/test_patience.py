"""What somebody cannot change is asked for only so long; what protects others is asked for as long as it takes."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config.face import FaceConfig, GateConfig
from kiosk.devices.emulated.cast import perform
from kiosk.devices.emulated.people import FPS, Person
from kiosk.domain.coaching import Coach
from kiosk.domain.decision import FaceEvidence
from kiosk.domain.face_task import Verify
from kiosk.domain.liveness import Liveness, Profile
from kiosk.domain.trouble import FaceTrouble
from kiosk.face.attempt import VerifyAttempt
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.gate import SPOILS_CHALLENGE
from kiosk.face.patience import FORGIVABLE, Patience

NEVER_SHARP = {"sharpness_min": 1e9}


def asked(patience: Patience, coach: Coach | None, seconds: float, start: float = 0.0, step: float = 0.04) -> float:
    """Returns when the next frame would come."""
    t = start
    while t < start + seconds:
        patience.see(t, coach)
        t += step
    return t


def test_after_its_time_a_gate_is_let_be() -> None:
    patience = Patience(8.0)
    asked(patience, Coach.RAISE_HEAD, 7.9)
    assert patience.forgiven == frozenset()
    asked(patience, Coach.RAISE_HEAD, 0.3, start=7.9)
    assert patience.forgiven == {Coach.RAISE_HEAD}


def test_every_gate_has_its_own_time() -> None:
    patience = Patience(8.0)
    t = asked(patience, Coach.BLUR, 5)
    t = asked(patience, Coach.TILTED, 5, start=t)
    assert patience.forgiven == frozenset()
    asked(patience, Coach.BLUR, 4, start=t)
    assert patience.forgiven == {Coach.BLUR}


def test_a_gap_in_the_pictures_is_no_time() -> None:
    patience = Patience(8.0)
    patience.see(0.0, Coach.BLUR)
    patience.see(60.0, Coach.BLUR)
    assert patience.forgiven == frozenset()


@given(st.sampled_from(sorted(set(Coach) - FORGIVABLE)))
def test_what_the_rules_rely_on_is_never_let_be(coach: Coach) -> None:
    patience = Patience(1.0)
    asked(patience, coach, 30, step=0.1)
    assert patience.forgiven == frozenset()


def test_nothing_that_spoils_a_challenge_can_be_forgiven() -> None:
    assert not FORGIVABLE & SPOILS_CHALLENGE
    assert not FORGIVABLE & {Coach.TURNED, Coach.EYES_CLOSED, Coach.TOO_FAR, Coach.OFF_LEFT, Coach.OFF_RIGHT}


def test_an_enrolment_waits_for_a_good_picture() -> None:
    assert FaceConfig().enrol.gate.patience_s == 0
    patience = Patience(0)
    asked(patience, Coach.BLUR, 100, step=0.1)
    assert patience.forgiven == frozenset()


def tried(engine: DlibEngine, templates: Any, gate: dict[str, float]) -> tuple[Any, float, list[Coach]]:
    """A living person whose picture is never what the gate wants: the end of the try, when, and what was said before."""
    config = FaceConfig(gate=GateConfig.model_validate(gate), try_timeout_s=12)
    performer = perform(Person.CARDHOLDER, np.random.default_rng(3))
    attempt = VerifyAttempt(engine, config, Verify(templates, Profile.GENTLE), 0.0, rng=random.Random(5))
    said: list[Coach] = []
    for frame in range(round(60 * FPS)):
        t = frame / FPS
        step = attempt.step(t) if attempt.working else attempt.step(t, performer.frame(t))
        if isinstance(step, Coach):
            said.append(step)
            performer.hear(step.value, t)
        elif isinstance(step, FaceEvidence | FaceTrouble):
            attempt.wipe()
            return step, t, said
    raise AssertionError("the try never ends")


def test_who_can_do_no_better_gets_through(engine: DlibEngine, templates: Any) -> None:
    end, t, said = tried(engine, templates, NEVER_SHARP | {"patience_s": 2.0})
    assert said[0] is Coach.BLUR
    assert isinstance(end, FaceEvidence) and end.liveness is Liveness.PASSED
    assert t > 2.0


@pytest.mark.parametrize("gate", [NEVER_SHARP | {"patience_s": 0.0}, {"width_min": 1000, "patience_s": 2.0}])
def test_without_patience_or_for_a_hard_gate_the_try_ends_calmly(engine: DlibEngine, templates: Any, gate: Any) -> None:
    end, _, said = tried(engine, templates, gate)
    assert end is FaceTrouble.TIMEOUT
    assert set(said) <= {Coach.BLUR, Coach.TOO_FAR}
