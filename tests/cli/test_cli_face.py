"""The site tools as a technician types them, on rendered people: worthless as evidence of accuracy, and they say so."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from rendered_people import write_folder
from typer.testing import CliRunner

from kiosk.cli import app
from kiosk.devices.emulated.people import Person, sample_photograph

KIOSK = (sys.executable, "-m", "kiosk", "face")
RUNNER = CliRunner()


def face(*words: str | Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run((*KIOSK, *map(str, words)), capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def refused(*words: str | Path, status: int) -> str:
    """What a command says that ends before it has done anything; in this process, which is quicker."""
    done = RUNNER.invoke(app, ["face", *map(str, words)])
    assert done.exit_code == status and not done.stdout, done.output
    return done.stderr


@pytest.fixture(scope="module")
def volunteers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("site") / "volunteers", people=6)


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("portrait") / "portrait.png"
    cv2.imwrite(str(file), cv2.cvtColor(sample_photograph(Person.CARDHOLDER), cv2.COLOR_RGB2BGR))
    return file


def vectors(work: Path) -> dict[str, float]:
    """The kept embeddings and when each was written."""
    return {path.name: path.stat().st_mtime for path in work.glob("*/*")}


# ------------------------------------------------------------------------------------------ evaluate, calibrate


def test_evaluate_interrupted_resumed_and_calibrated(volunteers: Path, tmp_path: Path) -> None:
    """One story, because embedding takes seconds: killed in the middle, gone on with, a torn file, an unreadable picture."""
    work, out = tmp_path / "work", tmp_path / "report.html"
    before = sorted(volunteers.rglob("*"))
    (volunteers / "S001" / "torn.jpg").write_bytes(b"not a picture")
    words = ("evaluate", volunteers, "--out", out, "--work", work, "--jobs", "1", "--draws", "200")
    process = subprocess.Popen((*KIOSK, *map(str, words)), stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not vectors(work):
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C reaches all of them
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "--resume" in errors and "Traceback" not in errors
    kept = vectors(work)
    assert 0 < len(kept) < 25 and not out.exists()

    torn = next(iter(work.glob("*/*")))
    torn.write_bytes(torn.read_bytes()[:50])
    told = json.loads(face(*words, "--resume", "--json").stdout)
    assert len(vectors(work)) == 25 and json.loads(torn.read_text())
    assert all(vectors(work)[name] == written for name, written in kept.items() if name != torn.name), "not made again"
    assert told["people"] == 6 and told["pictures"] == 25 and told["unusable"] == 1 and told["rendered"] is True
    assert told["eer"] < 0.1 and told["far_at_pass_max"]["low"] <= told["far_at_pass_max"]["value"]
    page = out.read_text(encoding="utf-8")
    assert "say nothing about accuracy" in page and str(volunteers) not in page and "S00" not in page and "torn" not in page
    (volunteers / "S001" / "torn.jpg").unlink()
    assert sorted(volunteers.rglob("*")) == before, "the folder is only read"

    calibrated = face("calibrate", volunteers, "--work", work, "--resume", status=4)
    assert "from about 131 people on, here are 6" in calibrated.stderr and calibrated.stdout == ""


@pytest.mark.parametrize(("pictures", "says"), [
    ((), "holds no folder with pictures"), (("S001/a.jpg",), "one person only"),
    (("999901194001011234/a.jpg", "S002/a.jpg"), "use pseudonyms"),
])
def test_folders_that_cannot_be_used(tmp_path: Path, pictures: tuple[str, ...], says: str) -> None:
    for name in pictures:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    (tmp_path / "in").mkdir(exist_ok=True)
    for command in ("evaluate", "calibrate"):
        told = refused(command, tmp_path / "in", "--work", tmp_path / "work", status=2)
        assert says in told and "999901194001011234" not in told


def test_places_that_cannot_be_used(volunteers: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    assert "is not a folder" in refused("evaluate", tmp_path / "none", "--work", work, status=2)
    assert "must lie outside" in refused("evaluate", volunteers, "--work", volunteers / "work", status=2)
    assert "must lie outside" in refused("evaluate", volunteers, "--work", work, "--out", volunteers / "r.html", status=2)
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "one").touch()
    assert "no work folder" in refused("evaluate", volunteers, "--work", tmp_path / "letters", status=1)
    assert (tmp_path / "letters" / "one").exists()


def test_no_engine(volunteers: Path, portrait: Path, tmp_path: Path) -> None:
    config = tmp_path / "terminal.toml"
    config.write_text(
        f'mode = "demo"\n[face]\nengine = "opencv"\nyunet = "{tmp_path}/y.onnx"\nsface = "{tmp_path}/s.onnx"\n'
        'pass_max = 0.4\nreview_max = 0.5\nthreshold_set = "none"\n'
        "review_max_chip = 0.5\nliveness = { same_face_max = 0.5 }\nenrol = { apart_max = 0.5, lookalike_max = 0.5 }\n"
    )
    tools = (("evaluate", volunteers, "--work", tmp_path), ("liveness", portrait), ("attack-clips", portrait, "--out", tmp_path))
    for words in tools:
        assert "opencv unavailable" in refused(*words, "--config", config, status=3)


def test_without_the_extra(volunteers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr("kiosk.cli.face_site.find_spec", lambda name: None if name == "scipy" else found(name))
    told = refused("evaluate", volunteers, status=1)
    assert "scipy not installed" in told and "kiosk[terminal,site]" in told and "matplotlib" not in told


# ------------------------------------------------------------------------------------------ attack clips, liveness


def test_attack_clips_are_marked_kept_and_do_not_pass(portrait: Path, tmp_path: Path) -> None:
    out = tmp_path / "clips"
    words = ("attack-clips", portrait, "--out", out, "--species", "still", "--seconds", "2")
    assert "still-000.avi: still, seed 0, made" in face(*words).stdout
    again = face(*words, "--species", "cut_eyes").stdout
    assert again.count("kept") == 1 and again.count("made") == 1
    with (out / "species.csv").open() as lines:
        rows = [(row["clip"], row["species"]) for row in csv.DictReader(lines)]
    assert rows == [("still-000.avi", "still"), ("cut_eyes-000.avi", "cut_eyes")]
    assert sorted(path.name for path in out.iterdir()) == ["cut_eyes-000.avi", "species.csv", "still-000.avi"], "no drafts"
    _, frame = cv2.VideoCapture(str(out / "still-000.avi")).read()
    assert np.ptp(frame[445:475, 10:110].astype(int).mean(axis=2)) > 40, "DEMO stands there"
    face("attack-clips", portrait, "--out", out, "--species", "print", "--seconds", "2", "--as", "frames")
    assert len(list((out / "print-000").glob("*.jpg"))) == 25

    done = face("liveness", out / "print-000", "--order", "blink,turn_left,turn_right", status=1)
    assert "failed clip_ended" in done.stdout and "not a test of replay" in done.stdout and "hold_still" in done.stdout
    told = json.loads(face("liveness", out / "still-000.avi", out / "none.avi", "--json", status=2).stdout)
    assert [one["verdict"] for one in told["clips"]] == ["failed", "unreadable"] and told["rehearsal"] is False
    checks = {check["check"]: check for check in told["clips"][0]["checks"]}
    assert checks["turn_left"]["demanded"] and checks["turn_left"]["outcome"] != "passed"


def test_portraits_orders_and_species_that_cannot_be_used(portrait: Path, tmp_path: Path) -> None:
    one = cv2.imread(str(portrait))
    pictures = {"two": np.hstack([one, one]), "none": np.full((300, 300, 3), 90, np.uint8)}
    for name, picture in pictures.items():
        cv2.imwrite(str(tmp_path / f"{name}.png"), picture)
    (tmp_path / "text.png").write_text("text")
    for name, says in (("two", "more than one face"), ("none", "no face"), ("text", "not a picture"), ("gone", "cannot be read")):
        assert says in refused("attack-clips", tmp_path / f"{name}.png", "--out", tmp_path / "out", status=1)
    assert not (tmp_path / "out").exists()
    assert "known are still" in refused("attack-clips", portrait, "--out", tmp_path / "out", "--species", "mask", status=1)
    assert "never asks" in refused("liveness", portrait, "--order", "blink", status=2)
    assert "actions are blink" in refused("liveness", portrait, "--order", "nod", status=2)
    assert "no infrared half" in refused("liveness", portrait, "--profile", "infrared", status=2)
