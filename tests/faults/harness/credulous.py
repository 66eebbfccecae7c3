"""Controls: terminals that are wrong on purpose, so that the campaign proves that it can see it."""

from __future__ import annotations

import os

from harness import children


def believing_sync(*words: str) -> None:
    """Takes every success for a receipt, signed or not."""
    from kiosk.sync import delivery
    from kiosk.sync.delivery import Acked, Unproven, Verdict
    from kiosk.sync.link import Answer

    def judge(_case: object, answer: Answer, _identity: object, *_more: object) -> Verdict:
        return Acked("committed", answer.body, "") if answer.status < 300 else Unproven(f"http_{answer.status}")

    delivery.judge = judge
    children.kiosk(*words)


def fragile_sync(poison: str, *words: str) -> None:
    """Ends at once whenever it is about to send the case with this id."""
    from kiosk.sync.link import OfficeLink

    exchange = OfficeLink.exchange

    def crashing(link: OfficeLink, method: str, target: str, *args: object, **more: object) -> object:
        if poison in target:
            os._exit(70)
        return exchange(link, method, target, *args, **more)  # type: ignore[arg-type]

    OfficeLink.exchange = crashing  # type: ignore[method-assign,assignment]
    children.kiosk(*words)
