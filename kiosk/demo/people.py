"""The invented person of the demo: a card to lay, and the roster the office imports, portraits included."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import replace
from pathlib import Path

from kiosk.devices.emulated.people import Person, enrolment_portraits
from kiosk.devices.emulated.socialcard import CardContent, second_generation, with_long_name
from kiosk.domain.document import CardKind, IdCard

CARDHOLDER = IdCard(
    kind=CardKind.RESIDENT, number="999901194807120021", name_cn="赵秀兰", sex="2", nation_code="01",
    birth=dt.date(1948, 7, 12), address="演示市演示区含湖村1号", issuer="演示公安局",
    valid_from=dt.date(2010, 1, 1), valid_to=None,
)
"""Region 9999 does not exist, so no living person can have this number."""
STAFF_PIN = "246810"
"""Of the demo's one member of staff."""


def cardholders_social_card() -> CardContent:
    """A second-generation card, which tells name and number to everybody."""
    card = with_long_name(second_generation(), CARDHOLDER.name)
    return replace(card, ef06={**card.ef06, 0x08: CARDHOLDER.number.encode(), 0x0A: b"2", 0x0D: bytes.fromhex("19480712")})


def write_roster(folder: Path, today: dt.date) -> Path:
    """A list as offices keep it: a CSV beside the portrait files it names. The cardholder is due next month."""
    folder.mkdir(parents=True, exist_ok=True)
    portraits = []
    for number, png in enumerate(enrolment_portraits(Person.CARDHOLDER), start=1):
        portraits.append(f"portrait-{number}.png")
        (folder / portraits[-1]).write_bytes(png)
    due = today.replace(day=1) + dt.timedelta(days=61)
    file = folder / "roster.csv"
    with file.open("w", encoding="utf-8-sig", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow(["身份证号", "姓名", "人员类别", "下次认证", "照片"])
        writer.writerow([CARDHOLDER.number, CARDHOLDER.name, "居保", due.isoformat(), ";".join(portraits)])
    return file
