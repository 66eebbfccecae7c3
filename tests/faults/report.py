"""What the fault campaign found: one JSON file per row in build/faults/, one table at the end.

`report.py` alone prints the table of the rows that are there.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "build" / "faults"
_COLUMNS = ("trial", "seed", "did", "accepted", "lost", "doubled", "other", "control", "s")


@dataclass(frozen=True, slots=True)
class Row:
    """One trial. did: what was done to it, e.g. `312 kills`; control: what was seen when something was broken on purpose."""

    trial: str
    seed: int
    did: str
    accepted: int
    lost: int
    doubled: int
    other: int
    """Further findings: broken chains, wrong bytes, readable names, unsigned acknowledgements."""
    control: str
    seconds: float


def save(row: Row) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    name = "".join(letter if letter.isalnum() else "-" for letter in row.trial)
    (FOLDER / f"{name}.json").write_text(json.dumps(asdict(row), ensure_ascii=False, indent=1), encoding="utf-8")


def table() -> str:
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))]
    if not rows:
        return "no trial has been run"
    cells = [_COLUMNS, *(_cells(Row(**row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells)


def _cells(row: Row) -> tuple[str, ...]:
    counts = (row.accepted, row.lost, row.doubled, row.other)
    return (row.trial, str(row.seed), row.did, *map(str, counts), row.control, f"{row.seconds:.0f}")


if __name__ == "__main__":
    print(table())
