"""Prompts are steady enough to be heard, and come again calmly when nobody heeds them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.coaching import Coach
from kiosk.face.prompt import SteadyPrompt

HOLD_S, SETTLE_S, REPEAT_S = 1.5, 0.3, 6.0


def test_the_first_prompt_comes_at_once_and_stays() -> None:
    prompt = SteadyPrompt()
    assert prompt.show(Coach.NO_FACE, 10.0) is Coach.NO_FACE
    for i in range(1, 18):  # flickering for 1.4 s
        assert prompt.show(Coach.TOO_FAR if i % 2 else Coach.NO_FACE, 10.0 + i * 0.08) is None
    assert prompt.current is Coach.NO_FACE


def test_only_what_lasts_replaces_a_prompt() -> None:
    prompt = SteadyPrompt()
    prompt.show(Coach.NO_FACE, 0.0)
    assert prompt.show(Coach.TOO_FAR, 5.0) is None
    assert prompt.show(Coach.TOO_FAR, 5.29) is None
    assert prompt.show(Coach.TOO_FAR, 5.31) is Coach.TOO_FAR


def test_an_unheeded_prompt_is_said_again() -> None:
    prompt = SteadyPrompt()
    assert prompt.show(Coach.MASK, 0.0) is Coach.MASK
    assert prompt.show(Coach.MASK, 5.9) is None
    assert prompt.show(Coach.MASK, 6.0) is Coach.MASK
    assert prompt.show(Coach.MASK, 11.9) is None
    assert prompt.show(Coach.MASK, 12.0) is Coach.MASK
    assert prompt.show(Coach.DARK, 12.1) is None
    assert prompt.show(Coach.DARK, 12.5) is Coach.DARK


def test_who_holds_still_is_not_told_again() -> None:
    for coach in (Coach.HOLD_STILL, Coach.WORKING):
        prompt = SteadyPrompt()
        prompt.show(coach, 0.0)
        assert prompt.show(coach, 100.0) is None


COACHES = st.sampled_from([Coach.NO_FACE, Coach.TOO_FAR, Coach.DARK, Coach.HOLD_STILL])


@given(st.lists(st.tuples(COACHES, st.floats(0.02, 0.8)), max_size=80))
def test_whatever_comes(wanted: list[tuple[Coach, float]]) -> None:
    """Never two sentences within 1.5 s, nothing that was not wanted for 0.3 s, no repetition sooner than 6 s."""
    prompt, now = SteadyPrompt(), 0.0
    said: list[tuple[float, Coach]] = []
    since, before = 0.0, None
    for coach, pause in wanted:
        now += pause
        since, before = (since if coach is before else now), coach
        brought = prompt.show(coach, now)
        if brought is None:
            continue
        assert brought is coach and prompt.current is coach
        again = bool(said) and said[-1][1] is coach
        assert not said or again or now - since >= SETTLE_S
        said.append((now, coach))
    for (earlier, one), (later, other) in pairwise(said):
        assert later - earlier >= (REPEAT_S if one is other else HOLD_S)


@given(coach=COACHES, step=st.floats(0.03, 0.4), seconds=st.floats(0, 60))
def test_what_stays_wrong_is_said_at_an_even_pace(coach: Coach, step: float, seconds: float) -> None:
    prompt = SteadyPrompt()
    times = [i * step for i in range(round(seconds / step) + 1)]
    said = [t for t in times if prompt.show(coach, t)]
    assert said[0] == 0
    assert all(REPEAT_S <= later - earlier <= REPEAT_S + step + 1e-6 for earlier, later in pairwise(said))
    assert coach is not Coach.HOLD_STILL or len(said) == 1
