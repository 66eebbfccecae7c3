"""Where `kiosk devices` gets its states from: the running terminal's own, else the devices themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from kiosk.cli.common import fail
from kiosk.config import KioskConfig
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus


class Source(Protocol):
    origin: str
    """For people: whose word this is."""

    def states(self) -> Sequence[DeviceStatus]:
        """By kind."""


STALE = dt.timedelta(minutes=3)
"""A terminal that has not said for so long that it runs hangs, or cannot write."""


def settled(states: Sequence[DeviceStatus]) -> bool:
    """There are devices, and each has said something."""
    return bool(states) and all(status.state is not DeviceState.UNKNOWN or status.reason for status in states)


@contextmanager
def open_source(config: KioskConfig) -> Iterator[Source]:
    """While a terminal runs on this store, what it writes there; otherwise the devices are worked with until the end,
    and no terminal can start meanwhile. Ends the command when neither is possible.
    """
    from kiosk.terminal.process import single_instance

    try:
        lock = single_instance(config.store.path.with_name("terminal.lock"))
    except OSError as error:
        fail(f"{config.store.path.parent}: {error.strerror}; run this as the terminal's user")
    if lock is None:
        with _of_the_terminal(config) as stored:
            yield stored
        return
    try:
        with _of_the_devices(config) as own:
            yield own
    finally:
        lock.unlock()


class _Stored:
    origin = "the running terminal"

    def __init__(self, read: _Reads) -> None:
        self._read = read

    def states(self) -> Sequence[DeviceStatus]:
        """A terminal that no longer says that it runs knows nothing of its devices."""
        alive, states = self._read.alive(), self._read.all()
        if alive is not None and abs(dt.datetime.now(dt.UTC) - alive) < STALE:
            return states
        return [DeviceStatus(status.kind, DeviceState.UNKNOWN, "terminal_silent", alive) for status in states]


class _Reads(Protocol):
    def all(self) -> list[DeviceStatus]: ...

    def alive(self) -> dt.datetime | None: ...


@contextmanager
def _of_the_terminal(config: KioskConfig) -> Iterator[Source]:
    from kiosk.store.device_states import DeviceStates
    from kiosk.store.opening import open_store
    from kiosk.store.unusable import StoreUnusable

    try:
        engine = open_store(config)
    except StoreUnusable as error:
        fail(f"the terminal runs and owns the devices; its database cannot be read: {error}")
    try:
        yield _Stored(DeviceStates(engine, lambda: dt.datetime.now(dt.UTC)))
    finally:
        engine.dispose()


class _Own:
    origin = "the devices themselves; no terminal runs"

    def __init__(self, kinds: frozenset[DeviceKind]) -> None:
        from kiosk.diagnostics.board import StatusBoard

        self.board = StatusBoard(kinds)

    def states(self) -> Sequence[DeviceStatus]:
        return self.board.snapshot()


@contextmanager
def _of_the_devices(config: KioskConfig) -> Iterator[Source]:
    from kiosk.cli.journal import NoJournal
    from kiosk.terminal.devices import Devices, Listeners

    def nothing(*happened: object) -> None:
        """Nobody asks for a card, a code or a slip here."""

    own = _Own(frozenset(config.devices) - {DeviceKind.FACE})
    devices = Devices(config, NoJournal(), Listeners(own.board.report, nothing, nothing, nothing, nothing, nothing))
    devices.start()
    try:
        yield own
    finally:
        devices.stop()
