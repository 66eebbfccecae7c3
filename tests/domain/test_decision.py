import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.case import Standing, standing
from kiosk.domain.decision import Band, FaceBands, FaceEvidence, Liveness, Outcome, decide

BANDS = FaceBands(pass_max=0.42, review_max=0.50, templates_min=2)


def evidence(distance: float, templates: int = 2, liveness: Liveness = Liveness.PASSED) -> FaceEvidence:
    return FaceEvidence(distance, 5, templates, liveness, "engine")


@pytest.mark.parametrize(("distance", "band"), [
    (0.4200, Band.PASS), (0.4201, Band.REVIEW), (0.5000, Band.REVIEW), (0.5001, Band.RETRY), (math.nan, Band.RETRY),
    (math.inf, Band.RETRY),
])
def test_boundaries(distance: float, band: Band) -> None:
    assert BANDS.band(distance, templates=2) is band


def test_a_single_template_never_passes_by_itself() -> None:
    assert BANDS.band(0.1, templates=1) is Band.REVIEW
    assert BANDS.band(0.1, templates=0) is Band.RETRY


@pytest.mark.parametrize(("distance", "templates", "liveness", "outcome"), [
    (0.30, 2, Liveness.PASSED, Outcome.PASSED),
    (0.30, 2, Liveness.NOT_DONE, Outcome.MANUAL_REVIEW),
    (0.30, 2, Liveness.FAILED, Outcome.NOT_MATCHED),
    (0.45, 2, Liveness.PASSED, Outcome.MANUAL_REVIEW),
    (0.70, 2, Liveness.PASSED, Outcome.NOT_MATCHED),
    (math.nan, 0, Liveness.PASSED, Outcome.MANUAL_REVIEW),  # nothing enrolled: an officer compares
    (math.nan, 0, Liveness.FAILED, Outcome.NOT_MATCHED),
])
def test_what_follows(distance: float, templates: int, liveness: Liveness, outcome: Outcome) -> None:
    assert decide(evidence(distance, templates, liveness), BANDS) is outcome


@given(st.floats(), st.integers(0, 5), st.sampled_from(Liveness))
def test_passing_needs_a_live_person_two_templates_and_a_small_distance(d: float, n: int, live: Liveness) -> None:
    if decide(evidence(d, n, live), BANDS) is Outcome.PASSED:
        assert live is Liveness.PASSED and n >= 2 and d <= 0.42


@given(st.sampled_from(Outcome), st.booleans(), st.booleans())
def test_nothing_is_claimed_without_a_signed_receipt(outcome: Outcome, delivered: bool, confirmed: bool) -> None:
    word = standing(outcome, delivered, confirmed)
    if not delivered or outcome is not Outcome.PASSED:
        assert word is Standing.RECEIVED
    if word is Standing.CONFIRMED:
        assert confirmed


def test_bands_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="pass_max"):
        FaceBands(0.5, 0.42)
