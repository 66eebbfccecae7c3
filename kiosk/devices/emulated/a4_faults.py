"""What is wrong with the emulated office printer, as a file that the printer's engine reads while it prints."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class A4Faults:
    paper_out: bool = False
    paper_low: bool = False
    cover: bool = False
    jam: bool = False
    """At the next page the job is aborted."""
    toner_low: bool = False
    toner_out: bool = False
    page_s: float = 0.05
    """Time for each page."""
    miscount: bool = False
    """Counts one page less than it prints."""
    media: str = "iso_a4_210x297mm"
    """What lies in the tray."""

    @property
    def standing(self) -> bool:
        """Whether the paper stands still until somebody helps."""
        return self.paper_out or self.cover or self.toner_out

    @property
    def reasons(self) -> str:
        """The printer-state-reasons, without the suffixes that ippeveprinter adds by itself."""
        named = {
            "media-empty": self.paper_out, "media-low": self.paper_low, "cover-open": self.cover, "media-jam": self.jam,
            "toner-low": self.toner_low, "toner-empty": self.toner_out,
        }
        return ",".join(reason for reason, present in named.items() if present)

    def write(self, file: Path) -> None:
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self)), "utf-8")
        fresh.replace(file)

    @classmethod
    def read(cls, file: Path) -> A4Faults:
        return cls(**json.loads(file.read_text("utf-8")))
