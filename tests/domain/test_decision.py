"""Bands of a comparison and what follows from one try."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kiosk.domain.case import Standing, standing
from kiosk.domain.decision import Band, FaceBands, FaceEvidence, IdentifiedBy, Outcome, decide
from kiosk.domain.liveness import Action, Check, CheckOutcome, CheckResult, Liveness, LivenessReport, Profile

BANDS = FaceBands(pass_max=0.42, review_max=0.50, templates_min=2, review_max_chip=0.52)
TURNS = (Action.TURN_LEFT, Action.BLINK, Action.TURN_RIGHT)
RANK = {Band.PASS: 0, Band.REVIEW: 1, Band.RETRY: 2}
WORTH = {Outcome.PASSED: 0, Outcome.MANUAL_REVIEW: 1, Outcome.NOT_MATCHED: 2}


def report(profile: Profile = Profile.PAPER, failed: Check | None = None, order: tuple[Action, ...] = TURNS) -> LivenessReport:
    """Everything shown but one check, if any."""
    checks = tuple(CheckResult(one, CheckOutcome.FAILED if one is failed else CheckOutcome.PASSED) for one in Check)
    return LivenessReport(profile, "00", order, checks, 8.0)


LIVE = report()
NOT_SHOWN = report(failed=Check.BLINK)
NOT_DONE = LivenessReport(Profile.PAPER, "", (), (), 0.0)


def evidence(distance: float, templates: int = 2, shown: LivenessReport = LIVE, chip_only: bool = False) -> FaceEvidence:
    return FaceEvidence(distance, 5, templates, shown, "engine", chip_only=chip_only)


# ------------------------------------------------------------------------------------------ bands


@pytest.mark.parametrize(("distance", "band"), [
    (0.0, Band.PASS), (0.4200, Band.PASS), (0.4201, Band.REVIEW), (0.5000, Band.REVIEW), (0.5001, Band.RETRY),
    (math.nan, Band.RETRY), (math.inf, Band.RETRY),
])
def test_boundaries(distance: float, band: Band) -> None:
    assert BANDS.band(distance, templates=2) is band
    assert BANDS.band(distance, templates=3) is band


@pytest.mark.parametrize(("distance", "band"), [
    (0.0, Band.REVIEW), (0.3000, Band.REVIEW), (0.5200, Band.REVIEW), (0.5201, Band.RETRY), (math.nan, Band.RETRY),
])
@pytest.mark.parametrize("templates", [1, 2, 3])
def test_boundaries_of_a_chip_alone(distance: float, band: Band, templates: int) -> None:
    assert BANDS.band(distance, templates, chip_only=True) is band


def test_without_a_limit_of_its_own_a_chip_has_the_common_one() -> None:
    bands = replace(BANDS, review_max_chip=None)
    assert bands.band(0.50, 1, chip_only=True) is Band.REVIEW and bands.band(0.5001, 1, chip_only=True) is Band.RETRY


@pytest.mark.parametrize(("distance", "band"), [(0.1, Band.REVIEW), (0.50, Band.REVIEW), (0.5001, Band.RETRY)])
def test_a_single_template_never_passes_by_itself(distance: float, band: Band) -> None:
    assert BANDS.band(distance, templates=1) is band


def test_without_templates_there_is_no_match() -> None:
    assert BANDS.band(0.1, templates=0) is Band.RETRY


def test_the_distance_is_not_rounded() -> None:
    assert BANDS.band(math.nextafter(0.42, 1), 2) is Band.REVIEW and BANDS.band(math.nextafter(0.50, 1), 2) is Band.RETRY


def test_bands_of_a_normalised_score_may_be_negative() -> None:
    bands = FaceBands(-3.0, -1.5, 2)
    assert [bands.band(score, 2) for score in (-3.0, -2.9, -1.5, -1.4)] == [Band.PASS, Band.REVIEW, Band.REVIEW, Band.RETRY]


@pytest.mark.parametrize(("pass_max", "review_max"), [(0.5, 0.42), (math.nan, 0.5), (0.4, math.nan)])
def test_bands_out_of_order_are_refused(pass_max: float, review_max: float) -> None:
    with pytest.raises(ValueError, match="pass_max"):
        FaceBands(pass_max, review_max)


@given(st.floats(-5, 5), st.floats(0, 1), st.integers(0, 4), st.booleans())
def test_a_larger_distance_is_never_a_better_band(distance: float, more: float, templates: int, chip: bool) -> None:
    near, far = BANDS.band(distance, templates, chip), BANDS.band(distance + more, templates, chip)
    assert RANK[near] <= RANK[far]


# ------------------------------------------------------------------------------------------ what follows


@pytest.mark.parametrize(("distance", "templates", "shown", "outcome"), [
    (0.30, 2, LIVE, Outcome.PASSED),
    (0.42, 2, LIVE, Outcome.PASSED),
    (0.45, 2, LIVE, Outcome.MANUAL_REVIEW),
    (0.30, 1, LIVE, Outcome.MANUAL_REVIEW),
    (0.70, 2, LIVE, Outcome.NOT_MATCHED),
    (math.nan, 2, LIVE, Outcome.NOT_MATCHED),
    (0.30, 2, NOT_SHOWN, Outcome.NOT_MATCHED),
    (0.30, 2, NOT_DONE, Outcome.NOT_MATCHED),
    (math.nan, 0, LIVE, Outcome.MANUAL_REVIEW),  # nothing enrolled: an officer compares
    (math.nan, 0, NOT_SHOWN, Outcome.NOT_MATCHED),
])
def test_what_follows(distance: float, templates: int, shown: LivenessReport, outcome: Outcome) -> None:
    assert decide(evidence(distance, templates, shown), BANDS, IdentifiedBy.CARD) is outcome


@pytest.mark.parametrize(("identified_by", "outcome"), [
    (IdentifiedBy.CARD, Outcome.PASSED), (IdentifiedBy.STAFF, Outcome.PASSED), (IdentifiedBy.NOBODY, Outcome.MANUAL_REVIEW),
])
def test_nobody_passes_without_a_card_or_staff(identified_by: IdentifiedBy, outcome: Outcome) -> None:
    assert decide(evidence(0.1), BANDS, identified_by) is outcome


@pytest.mark.parametrize(("profile", "order", "outcome"), [
    (Profile.PAPER, TURNS, Outcome.PASSED), (Profile.INFRARED, (Action.BLINK,), Outcome.PASSED),
    (Profile.GENTLE, (Action.BLINK,), Outcome.MANUAL_REVIEW), (Profile.ATTENDED, (Action.BLINK,), Outcome.MANUAL_REVIEW),
])
def test_after_fewer_actions_an_officer_decides(profile: Profile, order: tuple[Action, ...], outcome: Outcome) -> None:
    shown = report(profile, order=order)
    assert shown.verdict is Liveness.PASSED
    assert decide(evidence(0.1, shown=shown), BANDS, IdentifiedBy.CARD) is outcome


def test_a_chip_alone_is_for_an_officer() -> None:
    assert decide(evidence(0.1, 3, chip_only=True), BANDS, IdentifiedBy.CARD) is Outcome.MANUAL_REVIEW
    assert decide(evidence(0.51, 3, chip_only=True), BANDS, IdentifiedBy.CARD) is Outcome.MANUAL_REVIEW
    assert decide(evidence(0.51, 3), BANDS, IdentifiedBy.CARD) is Outcome.NOT_MATCHED


def test_templates_of_another_engine_never_help() -> None:
    """All refused: an officer looks. One left of two: that one alone cannot pass."""
    refused = replace(evidence(math.nan, 0), foreign=3)
    assert decide(refused, BANDS, IdentifiedBy.CARD) is Outcome.MANUAL_REVIEW
    assert decide(replace(evidence(0.1, 1), foreign=1), BANDS, IdentifiedBy.CARD) is Outcome.MANUAL_REVIEW
    assert decide(replace(evidence(0.9, 1), foreign=1), BANDS, IdentifiedBy.CARD) is Outcome.NOT_MATCHED


def test_a_score_that_could_not_be_normalised_is_for_an_officer() -> None:
    """With too few people enrolled; the plain distance is not held against bands that are not its own."""
    unscored = replace(evidence(math.nan), raw_distance=0.2)
    assert unscored.unscored and decide(unscored, BANDS, IdentifiedBy.CARD) is Outcome.MANUAL_REVIEW
    assert decide(replace(unscored, report=NOT_SHOWN), BANDS, IdentifiedBy.CARD) is Outcome.NOT_MATCHED
    nothing = replace(evidence(math.nan), raw_distance=math.nan)
    assert not nothing.unscored and decide(nothing, BANDS, IdentifiedBy.CARD) is Outcome.NOT_MATCHED
    assert not replace(evidence(0.3), raw_distance=0.2).unscored


ANY_CHECKS = st.lists(
    st.tuples(st.sampled_from(Check), st.sampled_from(CheckOutcome)), max_size=11, unique_by=lambda pair: pair[0],
).map(lambda pairs: tuple(CheckResult(check, outcome) for check, outcome in pairs))
ANY_REPORT = st.builds(
    LivenessReport, st.sampled_from(Profile), st.just("00"), st.lists(st.sampled_from(Action), max_size=4).map(tuple), ANY_CHECKS,
    st.just(8.0), st.booleans(),
) | st.builds(report, st.sampled_from(Profile))
ANY_RAW = st.none() | st.floats()


@given(st.floats(), st.integers(0, 4), ANY_REPORT, st.booleans(), ANY_RAW, st.sampled_from(IdentifiedBy))
def test_passing_needs_everything(
    d: float, n: int, shown: LivenessReport, chip: bool, raw: float | None, by: IdentifiedBy,
) -> None:
    brought = replace(evidence(d, n, shown, chip), raw_distance=raw)
    if decide(brought, BANDS, by) is Outcome.PASSED:
        assert shown.suffices and by is not IdentifiedBy.NOBODY and n >= 2 and d <= 0.42 and not chip


@given(st.floats(-5, 5), st.floats(0, 1), st.integers(0, 4), ANY_REPORT, st.booleans(), st.sampled_from(IdentifiedBy))
def test_a_larger_distance_is_never_a_better_outcome(
    d: float, more: float, n: int, shown: LivenessReport, chip: bool, by: IdentifiedBy,
) -> None:
    near, far = decide(evidence(d, n, shown, chip), BANDS, by), decide(evidence(d + more, n, shown, chip), BANDS, by)
    assert WORTH[near] <= WORTH[far]


@given(st.floats(-1, 1), st.integers(1, 4), st.sampled_from(IdentifiedBy), st.booleans())
def test_a_fake_is_never_handed_to_an_officer_as_a_person(d: float, n: int, by: IdentifiedBy, chip: bool) -> None:
    assert decide(evidence(d, n, NOT_SHOWN, chip), BANDS, by) is Outcome.NOT_MATCHED


@given(ANY_REPORT, st.floats(-1, 1))
def test_the_decision_says_what_the_report_says(shown: LivenessReport, d: float) -> None:
    brought = evidence(d, shown=shown)
    assert brought.liveness is shown.verdict
    assume(brought.liveness is not Liveness.PASSED)
    assert decide(brought, BANDS, IdentifiedBy.STAFF) is Outcome.NOT_MATCHED


# ------------------------------------------------------------------------------------------ what is claimed


@given(st.sampled_from(Outcome), st.booleans(), st.booleans())
def test_nothing_is_claimed_without_a_signed_receipt(outcome: Outcome, delivered: bool, confirmed: bool) -> None:
    word = standing(outcome, delivered, confirmed)
    if not delivered or outcome is not Outcome.PASSED:
        assert word is Standing.RECEIVED
    if word is Standing.CONFIRMED:
        assert confirmed


def test_evidence_shows_nothing_personal() -> None:
    shown = repr(FaceEvidence(0.123, 5, 2, LIVE, "engine", photos=(b"secret",)))
    assert "secret" not in shown and "0.123" not in shown
