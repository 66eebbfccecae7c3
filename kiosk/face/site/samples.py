"""What is compared: the usable embeddings of every volunteer, and the count of all that was not usable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from kiosk.config.face import Engine
from kiosk.face.engine import FaceEngine, Vector, Vectors
from kiosk.face.site.cache import Embedded
from kiosk.face.site.folder import Subject, Traits, Volunteers
from kiosk.face.still import StillTrouble

NEAR_DUPLICATE = {Engine.DLIB: 0.15, Engine.OPENCV: 0.01}
"""Two pictures of one person nearer than this are copies or a burst; together they say nothing.

dlib's is measured; for another engine nothing is known but that copies of one file are equal.
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One volunteer."""

    pseudonym: str
    gallery: Vectors = field(repr=False)
    """(n, d): what templates are taken from."""
    probes: Vectors = field(repr=False)
    """(m, d): what is compared with them."""
    visits: tuple[int, ...]
    """How many of the probes belong to each visit, in order."""
    shared: bool
    """Gallery and probes are the same pictures; none is compared with itself."""
    chip: Vectors = field(repr=False)
    traits: Traits

    @property
    def from_chip(self) -> Sample:
        """With the card's photograph as the only template."""
        return replace(self, gallery=self.chip, shared=False)

    def wipe(self) -> None:
        for vectors in (self.gallery, self.probes, self.chip):
            vectors.fill(0)


@dataclass(frozen=True, slots=True)
class Losses:
    pictures: int
    unusable: Mapping[StillTrouble, int]
    near_duplicates: int
    """Pictures left out as copies of another of the same person."""
    not_enrolled: int
    """People without a single usable template picture."""
    enrolled_short: int
    """People with some, but fewer than three."""
    visits: int
    not_acquired: int
    """Visits without one full block of usable frames; 0 where there are no visits."""


@dataclass(frozen=True, slots=True)
class Gathered:
    samples: tuple[Sample, ...]
    losses: Losses
    twins: tuple[tuple[str, str], ...]
    """Pseudonyms of different people with pictures nearer than a near-duplicate: most likely a picture misplaced."""


def gather(
    volunteers: Volunteers, embedded: Mapping[Path, Embedded], engine: FaceEngine, frames: int, near: float
) -> Gathered:
    """`frames`: how many a full block of a visit has; near: NEAR_DUPLICATE of the engine."""
    gathered = [_sample(one, embedded, engine, near) for one in volunteers.subjects]
    samples = tuple(sample for sample, _ in gathered)
    visits = [length for sample in samples for length in sample.visits]
    enrolled = [len(sample.gallery) for sample in samples]
    losses = Losses(
        pictures=len(volunteers.pictures),
        unusable=Counter(one.trouble for path in volunteers.pictures if (one := embedded[path]).trouble is not None),
        near_duplicates=sum(dropped for _, dropped in gathered),
        not_enrolled=sum(count == 0 for count in enrolled),
        enrolled_short=sum(0 < count < 3 for count in enrolled),
        visits=len(visits) if volunteers.apart else 0,
        not_acquired=sum(length < frames for length in visits) if volunteers.apart else 0,
    )
    return Gathered(samples, losses, _twins(samples, engine, near))


def _sample(subject: Subject, embedded: Mapping[Path, Embedded], engine: FaceEngine, near: float) -> tuple[Sample, int]:
    """And how many near-duplicates were left out."""

    def usable(paths: Sequence[Path]) -> list[Vector]:
        return [vector for path in paths if (vector := embedded[path].vector) is not None]

    every = usable(subject.enrol)
    gallery = _apart(every, [], engine, near)
    chip = _stack(usable(subject.chip))
    dropped = len(every) - len(gallery)
    if not subject.apart:
        stack = _stack(gallery)
        return Sample(subject.pseudonym, stack, stack, (len(gallery),), True, chip, subject.traits), dropped
    seen = [usable(visit) for visit in subject.visits]
    visits = [[one for one in visit if not _near(one, gallery, engine, near)] for visit in seen]
    dropped += sum(map(len, seen)) - sum(map(len, visits))
    probes = _stack([one for visit in visits for one in visit])
    lengths = tuple(map(len, visits))
    return Sample(subject.pseudonym, _stack(gallery), probes, lengths, False, chip, subject.traits), dropped


def _apart(vectors: Sequence[Vector], kept: list[Vector], engine: FaceEngine, near: float) -> list[Vector]:
    for vector in vectors:
        if not _near(vector, kept, engine, near):
            kept.append(vector)
    return kept


def _near(vector: Vector, others: Sequence[Vector], engine: FaceEngine, near: float) -> bool:
    return bool(others) and float(engine.distances(vector[None], np.stack(others)).min()) < near


def _stack(vectors: Sequence[Vector]) -> Vectors:
    return np.stack(vectors) if vectors else np.empty((0, 0))


def _twins(samples: Sequence[Sample], engine: FaceEngine, near: float) -> tuple[tuple[str, str], ...]:
    found = []
    for number, one in enumerate(samples):
        for other in samples[number + 1 :]:
            if len(one.gallery) and len(other.gallery) and engine.distances(one.gallery, other.gallery).min() < near:
                found.append((one.pseudonym, other.pseudonym))
    return tuple(found)
