"""From embeddings to trials: templates and blocks of frames are put together as the terminal does it.

Score: mean distance over all frames of a block and all templates (kiosk.face.matching), as it is or normalised. Every
run of `templates` pictures serves as a person's templates in turn, so that no picture is better than the others by its
place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kiosk.config.face import CohortConfig
from kiosk.face.engine import FaceEngine, Vectors
from kiosk.face.site.samples import Sample
from kiosk.face.site.statistics import Flags, Indices, Numbers, Trials
from kiosk.face.site.strangers import Strangers

Windows = list[tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Blocks:
    """Everybody's frames in blocks as one try takes them."""

    probes: Vectors
    rows: Indices
    """(blocks, frames): rows of `probes`."""
    owner: Indices
    """(blocks,)."""


def mean_distance_trials(
    engine: FaceEngine, samples: Sequence[Sample], templates: int, frames: int, cohort: CohortConfig | None = None
) -> Trials:
    """Everybody's blocks against everybody's templates. Without visits a block is one picture, whatever `frames` says.

    With `cohort` the score is normalised by the volunteers themselves; then there are no trials at all with fewer of
    them than it demands.
    """
    blocks = blocks_of(samples, frames)
    strangers = None if cohort is None else Strangers(engine, [sample.gallery for sample in samples], cohort)
    parts: list[tuple[Indices, Indices, Numbers]] = []
    if strangers is None or strangers.enough:
        side = None if strangers is None or not len(blocks.rows) else strangers.of_blocks(blocks.probes, blocks.rows)
        for claimed, sample in enumerate(samples):
            chosen = windows(len(sample.gallery), templates, sample.shared)
            if not chosen or not len(blocks.rows):
                continue
            apart = engine.distances(blocks.probes, sample.gallery)[blocks.rows].mean(axis=1)  # (blocks, gallery)
            scores = apart[:, chosen].mean(axis=2)  # (blocks, windows)
            if strangers is not None and side is not None:
                scores = strangers.normalised(scores, claimed, sample.gallery, chosen, blocks.owner, side)
            free = ~_itself(sample, chosen, blocks.owner == claimed)
            actual = np.broadcast_to(blocks.owner[:, None], scores.shape)[free]
            parts.append((np.full(len(actual), claimed), actual, scores[free]))
    if not parts:
        return Trials(len(samples), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    claims, actuals, scores = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Trials(len(samples), claims, actuals, scores)


def windows(pictures: int, templates: int, shared: bool) -> Windows:
    """Runs of pictures that serve as templates; with `shared`, at least one picture is left to compare."""
    if templates > pictures or (shared and templates == pictures):
        return []
    return sorted({tuple(sorted((first + step) % pictures for step in range(templates))) for first in range(pictures)})


def blocks_of(samples: Sequence[Sample], frames: int) -> Blocks:
    """What is left of a visit after its last full block counts nowhere."""
    rows: list[list[int]] = []
    owners: list[int] = []
    start = 0
    for owner, sample in enumerate(samples):
        size = 1 if sample.shared else frames
        for length in sample.visits:
            firsts = range(start, start + length - size + 1, size)
            rows += [list(range(first, first + size)) for first in firsts]
            owners += [owner] * len(firsts)
            start += length
    some = [sample.probes for sample in samples if len(sample.probes)]
    probes = np.concatenate(some) if some else np.empty((0, 0))
    return Blocks(probes, np.array(rows, np.int64), np.array(owners, np.int64))


def _itself(sample: Sample, chosen: Windows, mine: Flags) -> Flags:
    """(blocks, windows): where a shared picture would be compared with itself."""
    itself = np.zeros((len(mine), len(chosen)), dtype=np.bool_)
    if sample.shared:
        itself[mine] = np.array([[picture in window for window in chosen] for picture in range(len(sample.gallery))])
    return itself
