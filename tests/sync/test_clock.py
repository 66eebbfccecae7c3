"""A wrong clock: people are served, nothing is lost or stuck, and everybody is told. Times carry boot and monotonic clock."""

from __future__ import annotations

import datetime as dt
import http.server
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from machines import Machine, now
from office_stub import OfficeStub
from real_office import RealOffice
from sqlalchemy import Engine

from kiosk.config import KioskConfig, Mode, SyncConfig
from kiosk.sync import clock
from kiosk.sync.clock import ask_time, check_dates, note_office_time, read_clock
from kiosk.sync.identity import Identity
from kiosk.sync.link import CERTIFICATE_DATES, LinkDown, OfficeLink
from kiosk.sync.status import read_status
from kiosk.sync.wire import http as names
from kiosk.sync.wire.clock import TimeAnswer
from kiosk.sync.wire.envelope import parse_header
from kiosk.sync.wire.models import ClockState
from kiosk.sync.wire.signing import Context, sign

HOURS = dt.timedelta(hours=1)
CONFIG = KioskConfig(mode=Mode.DEMO, sync=SyncConfig(connect_timeout_s=2, total_timeout_s=2))


@pytest.fixture(autouse=True)
def _no_timesyncd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(clock, "_TIMESYNCD", tmp_path / "synchronized")


# ------------------------------------------------------------------------------- what is known


def test_only_what_was_learnt_since_the_start_counts(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_clock(engine, now()).state is ClockState.UNCONFIRMED
    note_office_time(engine, now(), now())
    found = read_clock(engine, now())
    assert found.state is ClockState.CONFIRMED and abs(found.skew_s or 0) < 1
    assert read_clock(engine, now() - HOURS).state is ClockState.UNCONFIRMED, "somebody has moved it since"
    monkeypatch.setattr(clock, "boot_id", lambda: "another")
    found = read_clock(engine, now())
    assert found.state is ClockState.UNCONFIRMED and found.skew_s is not None


def test_a_clock_known_to_be_wrong_is_not_confirmed(engine: Engine) -> None:
    note_office_time(engine, now() + 3 * HOURS, now())
    found = read_clock(engine, now())
    assert found.state is ClockState.UNCONFIRMED and found.skew_s == pytest.approx(-3 * 3600, abs=2)


def test_the_network_may_have_set_it(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "synchronized").touch()
    assert read_clock(engine, now()).state is ClockState.CONFIRMED


# ------------------------------------------------------------------------------- TLS and dates


class DatedOffice:
    """Speaks TLS with a certificate of the given days, and says what time it is by its own clock."""

    def __init__(self, folder: Path, stub: OfficeStub, begins: dt.datetime, office_now: dt.datetime) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        certificate = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(begins + dt.timedelta(days=9))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.trusted = folder / "trusted.pem"
        self.trusted.write_bytes(certificate.public_bytes(Encoding.PEM))
        both = folder / "server.pem"
        both.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + self.trusted.read_bytes())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                told = TimeAnswer(nonce=self.headers[names.NONCE], now=office_now, kid="k").to_json()
                self.send_response(200)
                self.send_header("Content-Length", str(len(told)))
                self.send_header(names.TIME_SIGNATURE, sign(Context.TIME, told, stub.signing))
                self.end_headers()
                self.wfile.write(told)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]  # the client hangs up on purpose
        self.url = f"https://localhost:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


@pytest.fixture
def dated(
    tmp_path: Path, office: OfficeStub, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest,
) -> Iterator[DatedOffice]:
    """request.param: how long ago the certificate began, and how far the office's clock is ahead of this one, in days."""
    ago, ahead = request.param
    one = DatedOffice(tmp_path, office, now() - dt.timedelta(days=ago), now() + dt.timedelta(days=ahead))
    monkeypatch.setenv("SSL_CERT_FILE", str(one.trusted))
    yield one
    one.server.shutdown()
    one.server.server_close()


@pytest.mark.parametrize(("dated", "word"), [
    ((-400, 402), "clock_wrong"),  # this machine believes to be in the year before
    ((400, -395), "clock_wrong"),  # or in the one after
    ((400, 0), "office_certificate"),
], indirect=["dated"])
def test_tls_that_fails_on_nothing_but_dates(
    engine: Engine, identity: Identity, dated: DatedOffice, word: str,
) -> None:
    there = replace(identity, office_url=dated.url)
    with OfficeLink(dated.url, 2, 2) as link:
        assert ask_time(link, there) == CERTIFICATE_DATES
    check_dates(engine, CONFIG, there, CERTIFICATE_DATES, now)
    status = read_status(engine, now())
    assert (status.clock_trouble, status.clock) == (word, "unconfirmed" if word == "clock_wrong" else "confirmed")
    check_dates(engine, CONFIG, there, None, now)
    assert read_status(engine, now()).clock_trouble is None


@pytest.mark.parametrize("dated", [(1, 0)], indirect=True)
def test_a_stranger_cannot_say_what_time_it_is(engine: Engine, identity: Identity, dated: DatedOffice) -> None:
    stranger = OfficeStub()
    told = replace(identity, office_url=dated.url, office_signing=(stranger.signing.public_key(),))
    with OfficeLink(dated.url, 2, 2, any_date=True) as link:
        assert ask_time(link, told) == "not_the_office"


@pytest.mark.parametrize("dated", [(400, 0)], indirect=True)
def test_without_dates_the_name_still_counts(identity: Identity, dated: DatedOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    with OfficeLink(dated.url.replace("localhost", "127.0.0.1"), 2, 2, any_date=True) as link:
        assert isinstance(link.exchange("GET", names.TIME_PATH, {names.NONCE: "ab"}, None, 1000), LinkDown)


# ------------------------------------------------------------------------------- the office dates what it gets


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealOffice]:
    one = RealOffice(tmp_path_factory.mktemp("town") / "office")
    one.start()
    yield one
    one.stop()


@pytest.mark.parametrize("year", [2020, 2036])
def test_a_machine_in_another_year_serves_people(town: RealOffice, tmp_path: Path, year: int) -> None:
    machine = Machine(tmp_path / "m")
    terminal = f"CK{year % 100}"
    machine.enrol(town.codes(terminal)[0])
    wrong = now().replace(year=year, month=3, day=3)
    case = machine.hand_in(1, at=wrong)
    with machine.engine.connect() as connection:
        header = parse_header(connection.exec_driver_sql("SELECT sealed FROM cases").scalar_one())
    assert (header.clock, header.created.year) == (ClockState.UNCONFIRMED, year)
    assert machine.deliver().delivered == 1
    dated = (
        "from kiosk.office import intake\nfrom kiosk.office.models import *\nintake.open_due()\n"
        f"c = Case.objects.get(pk={case!r})\n"
    )
    first = town.ask(dated + "found = [c.clock, str(c.captured.year), c.captured_by_office is None]")
    assert first[0] == "unconfirmed" and first[2], "no heartbeat of this start was heard yet"
    machine.beat()
    said, meant, seconds = town.ask(
        dated + "from django.utils import timezone\n"
        "found = [c.captured.year, c.capture_moment.year, (timezone.now() - c.captured_by_office).total_seconds()]"
    )
    assert meant == now().year and 0 <= seconds < 120 and said is not None
    assert machine.deliver().unsent == 0
    machine.close()
