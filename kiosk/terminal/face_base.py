"""The people enrolled here, as the face room needs them: for lookalikes of an enrolment and, where configured, S-norm."""

from __future__ import annotations

from collections.abc import Sequence

from kiosk.config.face import FaceConfig
from kiosk.domain.enrolment import Lookalike, NamedLookalike
from kiosk.domain.face_task import Enrol, FaceTask
from kiosk.domain.names import mask_name, mask_number
from kiosk.domain.roster import RosterEntry
from kiosk.face.base import FaceBase
from kiosk.face.client import FaceClient
from kiosk.store.roster import Roster


class LocalBase:
    """Read from the roster when it is needed and kept until the roster changes. `beside` belongs to one thread."""

    def __init__(self, roster: Roster, client: FaceClient, config: FaceConfig) -> None:
        self._roster = roster
        self._client = client
        self._config = config
        self._version = -1
        self._people: list[RosterEntry] = []

    def wanted_for(self, task: FaceTask) -> bool:
        return isinstance(task, Enrol) or self._config.cohort.enabled

    def beside(self, task: FaceTask) -> tuple[FaceBase | None, int | None]:
        """What a task is held against, and the person's own index in it. No base before the engine is known.

        Raises DBAPIError when the roster cannot be read.
        """
        if not self._client.engine:
            return None, None
        version = self._roster.version()
        if version != self._version:
            self._people, self._version = self._roster.people(), version
        own = next((i for i, person in enumerate(self._people) if person.number == task.number), None)
        return FaceBase.of(self._client.engine, (person.templates for person in self._people)), own

    def forget_stale(self) -> None:
        """Drops what was read before the roster changed: who has withdrawn is not kept in memory until the next enrolment.

        Raises DBAPIError when the roster cannot be read.
        """
        if self._people and self._roster.version() != self._version:
            self._people, self._version = [], -1

    def names(self, lookalikes: Sequence[Lookalike]) -> tuple[NamedLookalike, ...]:
        """Of the base last given."""
        return tuple(
            NamedLookalike(mask_name(person.name), mask_number(person.number), one.distance, person.number)
            for one in lookalikes for person in self._people[one.owner : one.owner + 1]
        )
