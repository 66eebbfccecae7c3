"""Memory of every process of a terminal and its office, after one certification from card to slip.

RSS counts shared pages in every process; PSS shares them out.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from figures import Figure, hand_over, tell

from kiosk.demo.estate import Estate, RealDevices


def measure(folder: Path) -> list[Figure]:
    with Estate(folder / "town", RealDevices(), say=tell) as estate:
        command = [sys.executable, str(Path(__file__).with_name("visit.py")), str(estate.config)]
        visit = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            _serve(visit, estate)
            terminal = psutil.Process(visit.pid)
            house = {
                "terminal": [terminal],
                "face worker": _among(terminal, "spawn_main"),
                "resource tracker": _among(terminal, "resource_tracker"),
                "sync": _among(psutil.Process(), "kiosk sync run"),
                "office": _among(psutil.Process(), "kiosk office serve"),
            }
            return [_figure(name, processes) for name, processes in house.items()]
        except BaseException:
            visit.kill()
            raise
        finally:
            visit.communicate()


def _serve(visit: subprocess.Popen[str], estate: Estate) -> None:
    """Lays and lifts the card when the visitor says so, until the visit is done."""
    assert visit.stdout is not None
    for line in visit.stdout:
        match line.strip():
            case "lay":
                estate.lay_card()
            case "lift":
                estate.lift_card()
            case "done":
                return
    raise RuntimeError("the visit did not come to its end")


def _among(parent: psutil.Process, words: str) -> list[psutil.Process]:
    """The children whose command line has these words, with all of theirs."""
    found = [child for child in parent.children() if words in " ".join(child.cmdline())]
    return [process for one in found for process in (one, *one.children(recursive=True))]


def _figure(name: str, processes: list[psutil.Process]) -> Figure:
    if not processes:
        raise RuntimeError(f"there is no process of the {name}")
    sizes = [process.memory_full_info() for process in processes]
    rss, pss = (sum(getattr(size, kind) for size in sizes) / 2**20 for kind in ("rss", "pss"))
    return Figure(f"memory, {name}", "MiB", {"RSS": rss}, {"PSS": pss})


if __name__ == "__main__":
    hand_over(measure)
