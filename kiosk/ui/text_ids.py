"""Text ids made from values of domain and flow: the catalogue must have a sentence for every value."""

from __future__ import annotations

from kiosk.domain.case import Item, Standing
from kiosk.domain.coaching import Coach
from kiosk.domain.join import JoinTrouble, Shut
from kiosk.domain.period import PeriodState
from kiosk.domain.slip import PrintOutcome
from kiosk.domain.trouble import CardTrouble, FaceTrouble, HandInTrouble
from kiosk.flow.view import Button


def made_ids() -> frozenset[str]:
    return frozenset(
        {f"button.{button.value}" for button in Button}
        | {f"coach.{coach.value}" for coach in Coach}
        | {f"trouble.{trouble.value}" for trouble in (*CardTrouble, *FaceTrouble, *HandInTrouble)}
        | {f"join.{trouble.value}" for trouble in JoinTrouble}
        | {f"staff.{shut.value}" for shut in Shut}
        | {f"greeting.{state.value}" for state in PeriodState}
        | {f"result.{standing.value}" for standing in Standing}
        | {f"result.{standing.value}_detail" for standing in Standing}
        | {f"slip_state.{outcome.value}" for outcome in PrintOutcome}
        | {f"slip.item_{item.value}" for item in Item}
    )
