"""The office as a process of its own: set up, enrolment, many hands at once, restart."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from townhall import Line, Terminal, body

from kiosk.config import KioskConfig, Mode, StoreConfig
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus
from kiosk.store.device_states import DeviceStates
from kiosk.store.opening import open_store
from kiosk.sync.enrol import enrol
from kiosk.sync.heartbeat import heartbeat_once
from kiosk.sync.identity import Identity
from kiosk.sync.status import read_status
from kiosk.sync.wire import http
from kiosk.sync.wire.enrolment import EnrolmentCode
from kiosk.sync.wire.keys import public_hex
from kiosk.sync.wire.models import EnrolAnswer, EnrolRequest

_PYTHON = [sys.executable, "-W", "error", "-c"]


def _environment(data: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("KIOSK_", "DJANGO_"))}
    return clean | {"KIOSK_OFFICE_DATA": str(data)}


def run(data: Path, script: str) -> str:
    """What the script prints, in a fresh process that knows no Django yet."""
    done = subprocess.run(
        [*_PYTHON, f"from kiosk.office import service\n{script}"],
        env=_environment(data), capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextmanager
def served(data: Path, kill: bool = False) -> Iterator[str]:
    """Address of the running office. kill: it is ended without warning, as by a power cut."""
    process = subprocess.Popen(
        [*_PYTHON, "from kiosk.office import service; service.serve('127.0.0.1', 0)"],
        env=_environment(data), stdout=subprocess.PIPE, text=True, start_new_session=True,
    )
    assert process.stdout is not None
    try:
        ready = process.stdout.readline().split()
        assert ready[:3] == ["office", "ready", "on"]
        yield ready[3]
    finally:
        os.killpg(process.pid, signal.SIGKILL) if kill else process.terminate()
        assert process.wait(timeout=20) == (-signal.SIGKILL if kill else 0)
        process.stdout.close()


class HttpClient:
    """Stands in for Django's test client in `Line`, over a real connection."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, trust_env=False)

    def put(self, path: str, data: bytes, content_type: str, headers: dict[str, str]) -> httpx.Response:
        return self._client.put(path, content=data, headers=headers | {"Content-Type": content_type})

    def get(self, path: str, headers: dict[str, str]) -> httpx.Response:
        return self._client.get(path, headers=headers)

    def close(self) -> None:
        self._client.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("town") / "office"
    run(path, "service.init(admin_password='a long word 23')")
    return path


def enrolled(data: Path, url: str, terminal_id: str) -> Terminal:
    code = EnrolmentCode.decode(run(data, f"print(service.enrol_terminal({terminal_id!r}, '含湖村'))"))
    terminal = Terminal(id=terminal_id, office_signing=code.signing_key, office_sealing=code.sealing_key)
    request = EnrolRequest(
        token=code.token, name="t", signing_key=public_hex(terminal.signing.public_key()),
        sealing_key=public_hex(terminal.sealing.public_key()),
    )
    answer = httpx.post(url + http.ENROL_PATH, content=request.to_json(), trust_env=False)
    terminal.epoch = EnrolAnswer.model_validate_json(answer.content).epoch
    return terminal


def cases(data: Path) -> dict[str, str]:
    return json.loads(run(data, (
        "from kiosk.office import bootstrap; bootstrap.configure()\n"
        "from kiosk.office.models import Case, Envelope; import json\n"
        "print(json.dumps({e.pk: getattr(e, 'case', None) and e.case.state for e in Envelope.objects.all()}))"
    )))


def wait_for(check, seconds: float = 15.0):
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, "waited in vain"
        pause.wait(0.1)
    return found


def test_many_hands_make_one_case(data: Path) -> None:
    with served(data) as url:
        terminal = enrolled(data, url, "HG02")
        case_id, envelope = terminal.envelope(body())
        start, answers = threading.Barrier(8), []

        def hand() -> None:
            client = HttpClient(url)
            start.wait(timeout=20)
            answers.append(Line(terminal, client).put(envelope, case_id))
            client.close()

        hands = [threading.Thread(target=hand) for _ in range(8)]
        for one in hands:
            one.start()
        for one in hands:
            one.join(timeout=30)
        assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
        assert len({(answer.content, answer.headers[http.RECEIPT_SIGNATURE]) for answer in answers}) == 1
        wait_for(lambda: cases(data).get(case_id) == "pending")


def test_a_receipt_survives_a_kill(data: Path) -> None:
    with served(data, kill=True) as url:
        terminal = enrolled(data, url, "HG03")
        case_id, envelope = terminal.envelope(body())
        client = HttpClient(url)
        first = Line(terminal, client).put(envelope, case_id)
        client.close()
        assert first.status_code == 201
    with served(data) as url:
        client = HttpClient(url)
        again = Line(terminal, client).put(envelope, case_id)
        client.close()
    assert (again.status_code, again.content) == (200, first.content)


def fleet(data: Path, terminal_id: str) -> dict[str, object]:
    return json.loads(run(data, (
        "from kiosk.office import bootstrap; bootstrap.configure()\n"
        "from kiosk.office.models import Terminal; import json\n"
        "from kiosk.office.desk.condition import judge; from django.utils import timezone\n"
        f"one = Terminal.objects.get(pk={terminal_id!r})\n"
        "print(json.dumps({'standing': judge(one, timezone.now()).standing.value, 'unsent': one.heartbeat.unsent,\n"
        "                  'devices': {d.kind: [d.state, d.reason] for d in one.devices.all()}}))"
    )))


def test_device_states_from_the_terminals_database_to_the_desk(data: Path, tmp_path: Path) -> None:
    config = KioskConfig(mode=Mode.DEMO, store=StoreConfig(path=tmp_path / "terminal.db"))
    clock = [dt.datetime.now(dt.UTC)]
    engine = open_store(config)
    states = DeviceStates(engine, lambda: clock[0])
    states.begin([DeviceKind.PRINTER, DeviceKind.IDCARD])
    states.put(DeviceStatus(DeviceKind.IDCARD, DeviceState.READY))
    states.put(DeviceStatus(DeviceKind.PRINTER, DeviceState.OFFLINE, "paper_out"))
    with served(data) as url:
        code = EnrolmentCode.decode(run(data, "print(service.enrol_terminal('HG08', '含湖村'))"))
        assert isinstance(enrol(engine, code.model_copy(update={"url": url}), "t", 10, 30), Identity)
        heartbeat_once(engine, config, lambda: clock[0])
        assert read_status(engine, clock[0]).heartbeat_trouble is None
        assert fleet(data, "HG08") == {
            "standing": "fault", "unsent": 0, "devices": {"idcard": ["ready", ""], "printer": ["offline", "paper_out"]},
        }
        states.put(DeviceStatus(DeviceKind.PRINTER, DeviceState.READY))
        clock[0] -= dt.timedelta(days=500)  # the battery of the clock is empty
        states.touch()
        heartbeat_once(engine, config, lambda: clock[0])
        assert read_status(engine, clock[0]).heartbeat_trouble is None
        assert fleet(data, "HG08")["standing"] == "attention"
    heartbeat_once(engine, config, lambda: clock[0])
    assert read_status(engine, clock[0]).heartbeat_trouble == "ConnectError"
    engine.dispose()


def test_a_page_and_its_style_without_internet(data: Path) -> None:
    with served(data) as url, httpx.Client(base_url=url, trust_env=False, follow_redirects=True) as client:
        page = client.get("/")
        assert "登录" in page.text
        for path in ("/static/admin/css/base.css", "/static/office/desk.css"):
            assert client.get(path).status_code == 200
        assert client.get("/healthz").text == "ok\n"
        assert client.get("/", headers={"Host": "elsewhere.example"}).status_code == 400


def test_initialising_twice_replaces_nothing(tmp_path: Path) -> None:
    script = (
        "info = service.init(); print(info.keys_made, info.signing_id, info.sealing_id, bool(info.admin_password))\n"
        "assert info.admin_password is None or info.admin_password not in repr(info)"
    )
    first, second = run(tmp_path / "o", script).split(), run(tmp_path / "o", script).split()
    assert (first[0], first[3]) == ("True", "True")
    assert second == ["False", first[1], first[2], "False"]
    for name in ("secret.key", "signing.key", "sealing.key"):
        assert stat.S_IMODE((tmp_path / "o" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "o").stat().st_mode) == 0o700


def test_without_an_office_it_says_so(tmp_path: Path) -> None:
    done = run(tmp_path, (
        "for call in (lambda: service.serve(), lambda: service.enrol_terminal('HG01', 'x')):\n"
        "    try: call()\n"
        "    except service.NotInitialised as error: print('initialise it first' in str(error))"
    ))
    assert done.split() == ["True", "True"]
    assert list(tmp_path.iterdir()) == []


def test_a_bad_terminal_id_is_a_value_error(data: Path) -> None:
    assert "大写" in run(data, "try: service.enrol_terminal('hg', 'x')\nexcept ValueError as error: print(error)")


def test_importing_from_the_command_line(data: Path, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("number,name\n999901195001010020,张测试\n", encoding="utf-8")
    path = str(tmp_path / "list.csv")
    script = f"from pathlib import Path; r = service.import_roster(Path({path!r}), dry_run=%s); print(r.added, r.dry_run)"
    assert run(data, script % True) == "1 True"
    assert run(data, script % False) == "1 False"
    assert run(data, script % False) == "0 False"
    assert run(data, "print(service.first_broken_audit_link())") == "None"


def test_the_database_is_set_as_meant(data: Path) -> None:
    script = """
from kiosk.office import bootstrap; bootstrap.configure()
from django.db import connection
import pysqlite3
with connection.cursor() as cursor:
    def pragma(name): cursor.execute(f"PRAGMA {name}"); return cursor.fetchone()[0]
    print(pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys"), pragma("busy_timeout"), pragma("trusted_schema"))
    cursor.execute("SELECT sqlite_version()"); print(cursor.fetchone()[0] == pysqlite3.sqlite_version)
"""
    if os.environ.get("KIOSK_OFFICE_DB"):
        pytest.skip("PRAGMAs are SQLite's")
    assert run(data, script).split() == ["wal", "2", "1", "20000", "0", "True"]
