"""Where a process can be made to kill itself: hooks put in before the product's code runs, in the child alone.

Each point is a place where something is half done. `arm(point, nth)` lets it pass nth-1 times; then SIGKILL to the whole
process group, as the power would take it.
"""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable
from typing import Any

SUBMIT = (
    "before_seal", "after_seal", "before_flush", "after_flush", "statement", "before_commit", "before_sqlite_commit",
    "after_commit", "before_receipt",
)
SYNC = (
    "after_claim", "body_sent", "answer_begun", "after_answer", "before_record", "inside_record", "after_record",
)
OFFICE = ("before_insert", "inserted", "before_office_commit", "after_office_commit", "before_answer", "before_opening", "opened")


class Trap:
    def __init__(self, point: str, nth: int) -> None:
        self._point, self._left = point, nth
        self.live = True
        """The submitter's points count inside a submission only."""

    def pass_by(self, point: str) -> None:
        if self.live and point == self._point:
            self._left -= 1
            if self._left <= 0:
                os.killpg(0, signal.SIGKILL)


def _around(
    owner: Any, name: str, trap: Trap, before: str = "", after: str = "", when: Callable[..., bool] | None = None,
) -> None:
    """when: of the result, whether `after` counts."""
    real = getattr(owner, name)

    @functools.wraps(real)
    def hooked(*args: Any, **more: Any) -> Any:
        trap.pass_by(before)
        result = real(*args, **more)
        if when is None or when(result):
            trap.pass_by(after)
        return result

    setattr(owner, name, hooked)


def arm_submitter(trap: Trap) -> None:
    from sqlalchemy import Engine, event
    from sqlalchemy.orm import Session

    from kiosk.store.cases import CaseStore
    from kiosk.sync.sealer import EnvelopeSealer

    trap.live = False
    sealed = [False]  # from then on a commit is that of the case
    submit = CaseStore.submit

    @functools.wraps(submit)
    def watched(*args: Any, **more: Any) -> Any:
        trap.live, sealed[0] = True, False
        result = submit(*args, **more)
        trap.pass_by("before_receipt")
        trap.live = False
        return result

    CaseStore.submit = watched  # type: ignore[method-assign]
    seal = EnvelopeSealer.seal

    @functools.wraps(seal)
    def sealing(*args: Any, **more: Any) -> Any:
        trap.pass_by("before_seal")
        result = seal(*args, **more)
        trap.pass_by("after_seal")
        sealed[0] = True
        return result

    EnvelopeSealer.seal = sealing  # type: ignore[method-assign]

    def at(point: str) -> Callable[..., None]:
        return lambda *_: trap.pass_by(point) if sealed[0] else None

    for name in ("before_flush", "after_flush", "before_commit", "after_commit"):
        event.listen(Session, name, at(name))
    event.listen(Engine, "after_cursor_execute", lambda *_: trap.pass_by("statement"))
    event.listen(Engine, "commit", at("before_sqlite_commit"))


def arm_sync(trap: Trap) -> None:
    import httpcore
    from sqlalchemy import event
    from sqlalchemy.orm import Session

    from kiosk.store.outbox import Outbox
    from kiosk.sync.link import OfficeLink

    recording = [False]
    _around(Outbox, "claim", trap, after="after_claim", when=lambda case: case is not None)
    acked = Outbox.acked

    @functools.wraps(acked)
    def watched(*args: Any, **more: Any) -> Any:
        trap.pass_by("before_record")
        recording[0] = True
        result = acked(*args, **more)
        recording[0] = False
        trap.pass_by("after_record")
        return result

    Outbox.acked = watched  # type: ignore[method-assign]
    event.listen(Session, "before_commit", lambda *_: trap.pass_by("inside_record") if recording[0] else None)
    exchange = OfficeLink.exchange

    @functools.wraps(exchange)
    def asked(link: OfficeLink, method: str, target: str, *args: Any, **more: Any) -> Any:
        result = exchange(link, method, target, *args, **more)
        if target.startswith("/v1/cases/"):
            trap.pass_by("after_answer")
        return result

    OfficeLink.exchange = asked  # type: ignore[method-assign]
    handle = httpcore.ConnectionPool.handle_request
    steps = {"http11.send_request_body.complete": "body_sent", "http11.receive_response_headers.complete": "answer_begun"}

    @functools.wraps(handle)
    def traced(pool: httpcore.ConnectionPool, request: httpcore.Request) -> httpcore.Response:
        if request.url.target.startswith(b"/v1/cases/"):
            request.extensions = {**request.extensions, "trace": lambda step, _: trap.pass_by(steps.get(step, ""))}
        return handle(pool, request)

    httpcore.ConnectionPool.handle_request = traced  # type: ignore[method-assign]


def arm_office(trap: Trap) -> None:
    """Before Django is set up: its parts are hooked when they are imported, by the first request at the latest."""
    from kiosk.office import bootstrap

    configure = bootstrap.configure

    def then_hook(*args: Any, **more: Any) -> None:
        configure(*args, **more)
        _hook_django(trap)

    bootstrap.configure = then_hook


def _hook_django(trap: Trap) -> None:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper

    from kiosk.office import intake, signed

    taken: set[int] = set()
    execute = CursorWrapper.execute

    def executed(cursor: CursorWrapper, sql: str, params: Any = None) -> Any:
        mine = sql.startswith("INSERT INTO office_envelope")
        if mine:
            trap.pass_by("before_insert")
            taken.add(id(cursor.db))
        result = execute(cursor, sql, params)
        if mine:
            trap.pass_by("inserted")
        return result

    commit = BaseDatabaseWrapper.commit

    def committed(wrapper: BaseDatabaseWrapper) -> None:
        mine = id(wrapper) in taken
        if mine:
            trap.pass_by("before_office_commit")
        commit(wrapper)
        if mine:
            taken.discard(id(wrapper))
            trap.pass_by("after_office_commit")

    CursorWrapper.execute = executed  # type: ignore[method-assign]
    BaseDatabaseWrapper.commit = committed  # type: ignore[method-assign]
    _around(signed, "receipt", trap, after="before_answer")
    _around(intake, "_make_of", trap, before="before_opening", after="opened")
