"""`settings.toml` of a content package: the few settings the office may change on all its terminals, and no others."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from types import MappingProxyType

Value = str | bool | int | float | tuple[str, ...]
Settings = Mapping[str, Mapping[str, Value]]
"""By section and name."""

_NUMBER = (int, float)
ALLOWED: Mapping[str, tuple[type, ...]] = MappingProxyType({
    "certification.basis": (str,),
    "certification.cycle_months": (int,),
    "certification.count_current_month": (bool,),
    "certification.due_soon_days": (int,),
    "certification.attempts_per_session": (int,),
    "certification.consent_text_version": (str,),
    "site.help_phone": (str,),
    "site.other_phones": (list,),
    "ui.idle_s": _NUMBER,
    "ui.countdown_s": (int,),
    "retention.sealed_h": _NUMBER,
    "retention.rows_days": (int,),
    "retention.print_days": (int,),
})
RAISED_ONLY = frozenset(name for name in ALLOWED if name.startswith("retention."))
"""What lies on a terminal may stay longer by the office's word, never be erased sooner."""


class SettingsRefused(ValueError):
    """faults: one line each, with the line of the file."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


def parse(data: bytes) -> Settings:
    """Raises SettingsRefused for whatever is not on the list or not of its kind."""
    try:
        text = data.decode()
        sections = tomllib.loads(text)
    except UnicodeDecodeError:
        raise SettingsRefused(["is not UTF-8 text"]) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsRefused([str(error)]) from None
    faults: list[str] = []
    found: dict[str, dict[str, Value]] = {}
    for section, values in sections.items():
        if not isinstance(values, dict):
            faults.append(f"line {_line(text, '', section)}: {section}: stands in no section")
            continue
        for name, value in values.items():
            fault = _fault(f"{section}.{name}", value)
            if fault:
                faults.append(f"line {_line(text, section, name)}: {section}.{name}: {fault}")
            else:
                found.setdefault(section, {})[name] = tuple(value) if isinstance(value, list) else value
    if faults:
        raise SettingsRefused(faults)
    return found


def _fault(key: str, value: object) -> str:
    kinds = ALLOWED.get(key)
    if kinds is None:
        return "cannot be set from the office"
    if not isinstance(value, kinds) or isinstance(value, bool) != (kinds == (bool,)):
        return "is of another kind"
    if isinstance(value, list) and not all(isinstance(one, str) for one in value):
        return "is of another kind"
    return ""


def _line(text: str, section: str, name: str) -> int:
    """Where a setting stands, for people; its section's line where that cannot be told."""
    now, of_section = "", 1
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if line.startswith("["):
            now = line.strip("[] ")
            if now == section or now.startswith(f"{section}.{name}"):
                of_section = number
        elif now == section and line.split("=", 1)[0].strip().strip("\"'") == name:
            return number
    return of_section
