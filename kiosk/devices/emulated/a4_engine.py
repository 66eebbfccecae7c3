"""The mechanics of the emulated office printer: the command ippeveprinter runs for every job.

On its error output it reports to ippeveprinter: `STATE:` the printer's condition, `ATTR:` the pages so far. Exit
status 1 aborts the job.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path

from kiosk.devices.a4.codec import Attribute, Group, GroupTag, Message, Tag, decode, encode
from kiosk.devices.a4.exchange import Failure, IppAddress, post
from kiosk.devices.a4.ipp import Operation
from kiosk.devices.a4.pages import count_pages
from kiosk.devices.emulated.a4_faults import A4Faults

FAULTS = "faults.json"
PAPER = "paper"
"""One line for every page that came out: the name of its job."""
_WAIT_S = 0.05


class Engine:
    def __init__(self, folder: Path, sheets: Path) -> None:
        self._folder = folder
        self._sheets = sheets
        self._said: str | None = None

    def run(self, document: Path) -> int:
        """The exit status."""
        faults = self._look()
        pages = count_pages(document.read_bytes()) or 1
        for page in range(1, pages + 1):
            end = time.monotonic() + faults.page_s
            while faults.standing or time.monotonic() < end:
                if self._canceled():
                    return 0
                time.sleep(_WAIT_S)
                faults = self._look()
            if faults.jam or self._canceled():
                return int(faults.jam)
            with (self._folder / PAPER).open("a", encoding="utf-8") as paper:
                paper.write(os.environ["IPP_JOB_NAME"] + "\n")
            self._say(f"ATTR: job-impressions-completed={page - faults.miscount}")
        self._keep(document)
        return 0

    def _look(self) -> A4Faults:
        faults = A4Faults.read(self._folder / FAULTS)
        if faults.reasons != self._said:
            self._said = faults.reasons
            self._say(f"STATE: {faults.reasons or 'none'}")
        return faults

    def _say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    def _canceled(self) -> bool:
        """ippeveprinter marks a running job that was cancelled, and leaves the stopping to its command."""
        address = IppAddress.parse(os.environ["IPP_JOB_PRINTER_URI"])
        about = Group(GroupTag.OPERATION, (
            Attribute.of(Tag.CHARSET, "attributes-charset", "utf-8"),
            Attribute.of(Tag.LANGUAGE, "attributes-natural-language", "en"),
            Attribute.of(Tag.URI, "printer-uri", address.uri),
            Attribute.of(Tag.INTEGER, "job-id", int(os.environ["IPP_JOB_ID"])),
            Attribute.of(Tag.KEYWORD, "requested-attributes", "job-state-reasons"),
        ))
        body = post(address, encode(Message(Operation.GET_JOB_ATTRIBUTES, 1, (about,))), time.monotonic() + 2, threading.Event())
        answer = None if isinstance(body, Failure) else decode(body)
        groups = answer.of(GroupTag.JOB) if answer else []
        return any("processing-to-stop-point" in group.texts("job-state-reasons") for group in groups)

    def _keep(self, document: Path) -> None:
        """The sheets as they would lie in the tray: the document, and how it was asked for."""
        self._sheets.mkdir(parents=True, exist_ok=True)
        number = 1 + len(list(self._sheets.glob("*.pdf")))
        asked = {key: value for key, value in sorted(os.environ.items()) if key.startswith("IPP_") and "DEFAULT" not in key}
        (self._sheets / f"sheet-{number:04}.json").write_text(json.dumps(asked, ensure_ascii=False, indent=1), "utf-8")
        shutil.copy(document, self._sheets / f"sheet-{number:04}.pdf")


if __name__ == "__main__":
    sys.exit(Engine(Path(sys.argv[1]), Path(sys.argv[2])).run(Path(sys.argv[3])))
