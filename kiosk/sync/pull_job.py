"""Everything a terminal pulls, one after the other. Each pull has its own failure: none keeps another from its turn."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable

from sqlalchemy import Engine

from kiosk.config import KioskConfig
from kiosk.store.outcomes import Outcomes
from kiosk.store.roster import Roster
from kiosk.sync.asking import PullResult
from kiosk.sync.clock import last_office_time
from kiosk.sync.content import Content, pull_content
from kiosk.sync.identity import Identity, load_identity
from kiosk.sync.link import OfficeLink
from kiosk.sync.outcomes import pull_outcomes
from kiosk.sync.pulls import pull_roster
from kiosk.sync.status import note_content, note_outcomes, note_pull

_log = logging.getLogger(__name__)
_PATIENCE = 10
"""A page of the roster may take so many times the limit of an upload: over a slow line it is megabytes."""

_Note = Callable[[Engine, dt.datetime | None, str | None], None]
_Pull = Callable[[OfficeLink, Identity], PullResult]


def pull_once(engine: Engine, config: KioskConfig, now: Callable[[], dt.datetime]) -> bool:
    """False before enrolment."""
    identity = load_identity(engine)
    if identity is None:
        return False

    def roster(link: OfficeLink, identity: Identity) -> PullResult:
        return pull_roster(link, identity, Roster(engine), now())

    def outcomes(link: OfficeLink, identity: Identity) -> PullResult:
        return pull_outcomes(link, identity, Outcomes(engine), now())

    def content(link: OfficeLink, identity: Identity) -> PullResult:
        known = last_office_time(engine)
        at = max(now(), known) if known else now()  # a clock in 2020 does not put a package off for years
        return pull_content(link, Content(engine, config, identity), identity, at)

    pulls: tuple[tuple[str, _Pull, _Note], ...] = (
        ("roster", roster, note_pull), ("outcomes", outcomes, note_outcomes), ("content", content, note_content),
    )
    times = config.sync
    for name, pull, note in pulls:
        try:
            with OfficeLink(identity.office_url, times.connect_timeout_s, times.total_timeout_s * _PATIENCE) as link:
                result = pull(link, identity)
            note(engine, now() if result.contact else None, result.trouble)
        except Exception as error:  # its text may hold what the office sent
            _log.error("the pull of %s failed: %s", name, type(error).__name__)
    return True
