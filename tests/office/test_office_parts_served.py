"""A large case from the terminal's own software to an office that is killed between two of its pieces."""

from __future__ import annotations

import datetime as dt
import json
import os
import threading
from pathlib import Path

from drafts import make_enrolment
from test_office_served import run, served, wait_for

from kiosk.domain.case import CaseReceipt
from kiosk.store.cases import CaseStore
from kiosk.store.database import open_database
from kiosk.store.key import DatabaseKey
from kiosk.store.migrate import migrate
from kiosk.store.outbox import Outbox, count
from kiosk.sync.delivery import Delivery
from kiosk.sync.enrol import enrol
from kiosk.sync.gate import Gate
from kiosk.sync.identity import Identity
from kiosk.sync.link import OfficeLink
from kiosk.sync.sealer import EnvelopeSealer
from kiosk.sync.wire.enrolment import EnrolmentCode


def _in_office(data: Path) -> dict[str, object]:
    return json.loads(run(data, (
        "from kiosk.office import bootstrap; bootstrap.configure()\n"
        "from kiosk.office.models import EnvelopePart, FaceEnrolment; import json\n"
        "opened = FaceEnrolment.objects.first()\n"
        "print(json.dumps({'pieces': EnvelopePart.objects.count(),\n"
        "                  'photos': [len(bytes(c.jpeg)) for c in opened.captures.all()] if opened else []}))"
    )))


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def test_killed_between_two_pieces(tmp_path: Path) -> None:
    data = tmp_path / "office"
    run(data, "service.init(admin_password='a long word 23')")
    engine = open_database(tmp_path / "terminal.db", DatabaseKey("0f" * 32))
    migrate(engine)
    draft = make_enrolment(photo=os.urandom(100_000), captured_at=_now())
    stop = threading.Event()

    class UntilTwo(Outbox):
        """The power goes with the second piece."""

        def piece_delivered(self, sha256: str, now: dt.datetime) -> None:
            super().piece_delivered(sha256, now)
            with engine.connect() as connection:
                done = connection.exec_driver_sql("SELECT count(*) FROM part WHERE delivered IS NOT NULL").scalar_one()
            if done == 2:
                stop.set()

    with served(data, kill=True) as url:
        code = EnrolmentCode.decode(run(data, "print(service.enrol_terminal('HG01', '含湖村'))"))
        identity = enrol(engine, code.model_copy(update={"url": url}), "t", 10, 30)
        assert isinstance(identity, Identity)
        receipt = CaseStore(engine, 0).submit(draft, EnvelopeSealer(engine, False, 64 * 1024), _now())
        assert isinstance(receipt, CaseReceipt)
        with OfficeLink(url, 10, 30) as link:
            Delivery(UntilTwo(engine, 1e-3, 1e-3), link, identity, Gate(1, 1), _now).run_pass(stop)
        assert (count(engine).unsent, _in_office(data)) == (1, {"pieces": 2, "photos": []})
    assert _in_office(data)["pieces"] == 2  # a receipt survives a kill
    with served(data) as url:
        with OfficeLink(url, 10, 30) as link:
            Delivery(Outbox(engine, 1e-3, 1e-3), link, identity, Gate(1, 1), _now).run_pass(threading.Event())
        assert count(engine).delivered == 1
        found = wait_for(lambda: (now := _in_office(data))["photos"] and now)
    with engine.connect() as connection:
        pieces = connection.exec_driver_sql("SELECT count(*) FROM part WHERE delivered IS NOT NULL").scalar_one()
    assert found == {"pieces": pieces, "photos": [100_001] * 3} and pieces >= 6
    engine.dispose()
