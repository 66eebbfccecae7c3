"""What can be wrong with the emulated printer, and the status bytes that follow from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields


@dataclass(slots=True)
class PrinterFaults:
    """Each may be switched at any time, from any thread."""

    paper_end: bool = False
    near_end: bool = False
    cover: bool = False
    cutter: bool = False
    unrecoverable: bool = False
    overheat: bool = False
    jam: bool = False
    ticket: bool = False
    """A slip hangs in the mouth. Set by a presenter, cleared when it is taken."""
    silent: bool = False
    """Answers nothing, prints all the same."""
    stall: bool = False
    """Takes no bytes from the line."""
    bit_7: bool = False
    """A firmware that uses the highest bit of all its status bytes."""
    no_process_id: bool = False
    """A model without GS ( H."""
    early_fence: bool = False
    """A model that answers GS r when it comes in, not when it is reached."""
    stray_status: bool = False
    """Sends automatic status before every answer, whatever GS a says."""

    @property
    def offline(self) -> bool:
        return self.paper_end or self.cover or self._error

    @property
    def _error(self) -> bool:
        return self.cutter or self.unrecoverable or self.overheat or self.jam

    def status(self) -> tuple[int, int, int, int]:
        """The answers to DLE EOT 1, 2, 3, 4."""
        bits = (
            self.offline << 3,
            self.cover << 2 | self.paper_end << 5 | self._error << 6,
            self.jam << 2 | self.cutter << 3 | self.unrecoverable << 5 | self.overheat << 6,
            (self.near_end or self.paper_end) * 0x0C | self.paper_end * 0x60,
        )
        first, second, third, fourth = (0x12 | one | self.bit_7 << 7 for one in bits)
        return first, second, third, fourth

    def full_status(self) -> bytes:
        """The answer to DLE EOT 20 of a Custom printer."""
        paper = self.paper_end | (self.near_end or self.paper_end) << 2 | self.ticket << 5
        return bytes((
            0x10, 0x0F, paper, self.cover << 1, self.overheat | self.jam << 6, self.cutter | self.unrecoverable << 2,
        ))

    def paper_sensor(self) -> int:
        """The answer to GS r 1."""
        return (self.near_end or self.paper_end) * 0x03 | self.paper_end * 0x0C

    def automatic_status(self) -> bytes:
        """The four bytes of ASB."""
        first = 0x10 | self.offline << 3 | self.cover << 5
        second = self.jam << 2 | self.cutter << 3 | self.unrecoverable << 5 | self.overheat << 6
        return bytes((first, second, self.paper_sensor(), 0x0F))


def _switched_on(name: str) -> Callable[[PrinterFaults], None]:
    return lambda faults: setattr(faults, name, True)


FAULTS = {fault.name: _switched_on(fault.name) for fault in fields(PrinterFaults)}
"""All of them by name, for the command line."""
