"""The measured figures on the desk's page about the face decision: `face_figures.json`, rewritten with each measurement."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

_FILE = Path(__file__).with_name("face_figures.json")


class _Figures(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Trials(_Figures):
    """So many trials of one kind and how many went wrong: an attack accepted, a living person rejected."""

    name: str
    trials: int = Field(ge=1)
    wrong: int = Field(ge=0)
    upper: float = Field(ge=0, le=1)
    """Upper 95 % bound of the share that goes wrong (Clopper-Pearson)."""

    @model_validator(mode="after")
    def _plausible(self) -> Trials:
        if self.wrong > self.trials or self.upper < self.wrong / self.trials:
            raise ValueError("more wrong than tried, or a bound below the share found")
        return self

    @property
    def percent(self) -> float:
        return 100 * self.wrong / self.trials

    @property
    def upper_percent(self) -> float:
        return 100 * self.upper


class Run(_Figures):
    """One way of checking. attacks: per species, never averaged (APCER); living: per kind of person (BPCER)."""

    name: str
    attacks: tuple[Trials, ...]
    living: tuple[Trials, ...]


class Strangers(_Figures):
    """How the comparison tells people apart at one threshold, in percent."""

    name: str
    threshold: float
    accepted: float = Field(ge=0, le=100)
    """Strangers."""
    not_passed: float = Field(ge=0, le=100)
    """The person's own pictures."""


class Recognition(_Figures):
    conditions: tuple[str, ...]
    rows: tuple[Strangers, ...]


class FaceFigures(_Figures):
    measured_on: dt.date | None
    """None: nothing measured yet with this version."""
    conditions: tuple[str, ...]
    """Whole sentences in Chinese."""
    runs: tuple[Run, ...]
    recognition: Recognition


def load_figures() -> FaceFigures:
    return FaceFigures.model_validate_json(_FILE.read_bytes())
