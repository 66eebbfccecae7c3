"""Which pairs of people a figure is about. The realistic impostor is a neighbour: same sex, about the same age."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

import numpy as np

from kiosk.face.site.folder import Traits
from kiosk.face.site.statistics import Flags


class MainPairs(StrEnum):
    ALIKE = "alike"
    """Same sex and adjacent age band, relatives apart."""
    ALL = "all"
    """Everybody with everybody but known relatives: age and sex are not known of all."""


class Subgroup(StrEnum):
    OLD = "70+"
    WOMEN = "women"
    MEN = "men"
    GLASSES = "glasses"


_OLD = 70
_WOMEN = frozenset({"f", "female", "w", "女"})
_MEN = frozenset({"m", "male", "男"})
_YES = frozenset({"yes", "y", "1", "true", "是", "有"})
_MEMBER: dict[Subgroup, Callable[[Traits], bool]] = {
    Subgroup.OLD: lambda traits: traits.age_from is not None and traits.age_from >= _OLD,
    Subgroup.WOMEN: lambda traits: traits.sex.lower() in _WOMEN,
    Subgroup.MEN: lambda traits: traits.sex.lower() in _MEN,
    Subgroup.GLASSES: lambda traits: traits.glasses.lower() in _YES,
}


def main_pairs(people: Sequence[Traits]) -> tuple[Flags, MainPairs]:
    """(people, people), the diagonal is True."""
    unrelated = ~relatives(people) | np.eye(len(people), dtype=np.bool_)
    if not all(one.sex and one.age_from is not None for one in people):
        return unrelated, MainPairs.ALL
    bands = sorted({one.age_from for one in people if one.age_from is not None})
    band = np.array([bands.index(one.age_from) for one in people if one.age_from is not None])
    sex = np.array([one.sex.lower() for one in people])
    alike = (sex[:, None] == sex) & (abs(band[:, None] - band) <= 1)
    return alike & unrelated, MainPairs.ALIKE


def relatives(people: Sequence[Traits]) -> Flags:
    """(people, people): different people of one relation group; the diagonal is False."""
    group = np.array([one.relation_group for one in people])
    same: Flags = (group[:, None] == group) & (group != "") & ~np.eye(len(people), dtype=np.bool_)
    return same


def within(people: Sequence[Traits], subgroup: Subgroup) -> Flags:
    """(people, people): both belong to it and are not related, or it is one person who does."""
    member = np.array([_MEMBER[subgroup](one) for one in people], dtype=np.bool_)
    both: Flags = member[:, None] & member & ~relatives(people)
    return both
