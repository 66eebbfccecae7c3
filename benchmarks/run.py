"""Takes all figures of this machine, or those named: `run.py [start card …]`. Prints a table, writes build/bench.json.

Every script runs in a process of its own, one after the other; nothing here passes or fails.
"""

from __future__ import annotations

import datetime as dt
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from figures import BUILD, tell
from machine import facts

SCRIPTS = ("start", "card", "slip", "idle", "preview", "verification", "ticks", "commits", "rates", "memory")
_COLUMNS = ("figure", "unit", "measured", "beside", "ratio", "load before, after")


def main(names: list[str]) -> int:
    """0 when every figure could be taken."""
    unknown = set(names) - set(SCRIPTS)
    if unknown:
        tell(f"no figure is called {', '.join(sorted(unknown))}; there are {', '.join(SCRIPTS)}")
        return 2
    BUILD.mkdir(exist_ok=True)
    machine = facts(BUILD)
    figures: list[dict[str, Any]] = []
    failed = []
    for name in names or SCRIPTS:
        tell(f"{name} …")
        taken = _take(name)
        figures += taken
        if not taken:
            failed.append(name)
    taken_at = dt.datetime.now().astimezone().isoformat(timespec="seconds")
    result = {"taken_at": taken_at, "machine": machine, "figures": figures, "failed": failed}
    (BUILD / "bench.json").write_text(json.dumps(result, ensure_ascii=False, indent=2), encoding="utf-8")
    print(f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_mb']} MB, {machine['file_system']}")
    print(_table([_COLUMNS, *map(_row, figures)]))
    for name in failed:
        print(f"{name}: could not be taken")
    return 1 if failed else 0


def _take(name: str) -> list[dict[str, Any]]:
    """The figures of one script; none when it failed, which it has said on stderr."""
    command = [sys.executable, str(Path(__file__).with_name(f"{name}.py"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as script:
        try:
            told, _ = script.communicate()
        except KeyboardInterrupt:
            script.send_signal(signal.SIGINT)  # to the script alone: it stops what it started, in order
            script.wait()
            raise
    if script.returncode:
        return []
    figures: list[dict[str, Any]] = json.loads(told)
    return figures


def _row(figure: dict[str, Any]) -> tuple[str, ...]:
    ratio = figure["ratio"]
    return (
        figure["name"], figure["unit"], _values(figure["measured"]), _values(figure["beside"]),
        f"{ratio:.2f}" if ratio else "", "  ".join(f"{load:.1f}" for load in figure["load"]),
    )


def _values(values: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.0f}" if value >= 100 else f"{name} {value:.1f}" for name, value in values.items())


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
