"""The placeholder voice and its player: only what changed is spoken anew, and silence is never a fault."""

import importlib.util
import json
import re
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from kiosk.config import REPOSITORY, UiConfig
from kiosk.texts import Sentence, Texts, load_texts
from kiosk.ui.voice import Voice, VoiceState
from kiosk.ui.voice_pack import MANIFEST, read_pack

TOOL = REPOSITORY / "tools" / "build_voice.py"


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_voice", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def catalogue(tmp_path: Path) -> Callable[..., Path]:
    def write(**sentences: str) -> Path:
        path = tmp_path / "texts.toml"
        tables = [f'[say.{name}]\ntext = "{text}"\nvoice = true\n' for name, text in sentences.items()]
        path.write_text("".join(tables), encoding="utf-8")
        return path

    return write


def test_only_changed_sentences_are_made_again(builder: ModuleType, catalogue: Callable[..., Path], tmp_path: Path) -> None:
    pack = tmp_path / "voice"
    assert builder.build(catalogue(one="请看", two="请走近"), pack) == (2, 0)
    assert builder.build(catalogue(one="请看", two="请走近"), pack) == (0, 0)
    before = (pack / "say.one.wav").stat().st_mtime_ns
    assert builder.build(catalogue(one="请看", two="请退后"), pack) == (1, 0)
    assert builder.build(catalogue(one="请看"), pack) == (0, 1)
    assert (pack / "say.one.wav").stat().st_mtime_ns == before
    assert {path.name for path in pack.iterdir()} == {"say.one.wav", MANIFEST}


def test_a_cut_run_is_made_good(builder: ModuleType, catalogue: Callable[..., Path], tmp_path: Path) -> None:
    pack = tmp_path / "voice"
    builder.build(catalogue(one="请看", two="请走近"), pack)
    (pack / "say.one.wav").unlink()
    (pack / "say.two.part").write_bytes(b"half")
    assert builder.build(catalogue(one="请看", two="请走近"), pack) == (1, 1)
    (pack / MANIFEST).write_text("{ not json", encoding="utf-8")
    assert builder.build(catalogue(one="请看", two="请走近"), pack)[0] == 2


def test_another_speaker_makes_everything_again(
    builder: ModuleType, catalogue: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = tmp_path / "voice"
    builder.build(catalogue(one="请看"), pack)
    monkeypatch.setattr(builder, "SPEAKER", ("espeak-ng", "-v", "cmn-latn-pinyin", "-s", "150"))
    assert builder.build(catalogue(one="请看"), pack) == (1, 0)


def test_pinyin_and_its_overrides(builder: ModuleType) -> None:
    assert builder.reading(Sentence("x", "请看。")) == "qing3 kan4."
    assert builder.reading(Sentence("x", "长时间，银行", pinyin={"长": "chang2"})) == "chang2 shi2 jian1, yin2 hang2"
    assert builder.reading(Sentence("x", "好了吗？", pinyin={"了": "le5", "吗": "ma5"})) == "hao3 le5 ma5."


def test_one_syllable_for_every_character(builder: ModuleType, texts: Texts) -> None:
    for text_id, sentence in texts.sentences.items():
        characters = re.findall(r"[\u4e00-\u9fff]", sentence.voice)
        syllables = re.findall(r"[a-zü]+[1-5]", builder.reading(sentence))
        assert len(syllables) == len(characters), text_id
        assert re.fullmatch(r"[a-zü1-5 ,.]*", builder.reading(sentence)), text_id


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, TOOL, tmp_path / "absent.toml", tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "cannot be read" in done.stderr and "Traceback" not in done.stderr
    done = subprocess.run([sys.executable, TOOL], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "usage" in done.stderr


def test_the_built_pack_speaks_the_shipped_catalogue(texts: Texts) -> None:
    """Length 0.2 to 0.6 s a syllable with its pauses, audible, not clipped."""
    pack = read_pack(UiConfig().voice_dir, texts)
    assert pack.missing == (), "the voice is stale: run `make setup`"
    for text_id, path in pack.files.items():
        with wave.open(str(path)) as sound:
            rate, samples = sound.getframerate(), np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
        syllables = len(re.findall(r"[\u4e00-\u9fff]", texts.spoken(text_id)))
        assert 0.2 < len(samples) / rate / syllables < 0.7, text_id
        assert np.sqrt(np.mean(samples.astype(float) ** 2)) > 500, text_id
        assert np.abs(samples.astype(int)).max() < 32767, text_id


def test_a_stale_recording_is_silent(builder: ModuleType, catalogue: Callable[..., Path], tmp_path: Path) -> None:
    pack = tmp_path / "voice"
    builder.build(catalogue(one="请看", two="请走近"), pack)
    after = load_texts(catalogue(one="请看", two="请退后", three="新的"))
    read = read_pack(pack, after)
    assert set(read.files) == {"say.one"} and read.missing == ("say.two", "say.three")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"sentences": []}', '{"sentences": {"say.one": 3}}', "\udcff"])
def test_a_broken_pack_is_an_empty_one(content: str, catalogue: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_bytes(content.encode("utf-8", "surrogateescape"))
    read = read_pack(tmp_path, load_texts(catalogue(one="请看")))
    assert not read.files and read.missing == ("say.one",)


@pytest.mark.qt_log_ignore("PulseAudio", "No audio device", extend=True)
def test_without_pack_or_sound_the_voice_is_a_status(app: QApplication, texts: Texts, tmp_path: Path) -> None:
    voice = Voice(texts, tmp_path / "absent")
    assert voice.state in (VoiceState.INCOMPLETE, VoiceState.NO_DEVICE)
    assert len(voice.missing) == sum(bool(one.voice) for one in texts.sentences.values())
    voice.repeat()
    voice.say("card.prompt")
    voice.say("not.in_the_catalogue")
    voice.repeat()
    voice.stop()


@pytest.mark.qt_log_ignore("PulseAudio", "No audio device", extend=True)
def test_with_a_pack_it_speaks_or_says_why_not(app: QApplication, texts: Texts) -> None:
    voice = Voice(texts, UiConfig().voice_dir)
    assert voice.missing == () and voice.state in (VoiceState.READY, VoiceState.NO_DEVICE)
    voice.say("card.prompt")
    voice.say("coach.blink")
    voice.stop()


def test_switched_off(app: QApplication, texts: Texts) -> None:
    voice = Voice(texts, UiConfig().voice_dir, enabled=False)
    voice.say("card.prompt")
    voice.stop()
    assert voice.state is VoiceState.OFF


def test_a_system_without_sound_libraries(
    app: QApplication, texts: Texts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "PySide6.QtMultimedia", None)  # the import fails as on a machine without libpulse
    voice = Voice(texts, tmp_path)
    voice.say("card.prompt")
    assert voice.state is VoiceState.NO_LIBRARY


def test_the_manifest_can_be_read_by_people(builder: ModuleType, catalogue: Callable[..., Path], tmp_path: Path) -> None:
    builder.build(catalogue(one="请看"), tmp_path / "voice")
    manifest = json.loads((tmp_path / "voice" / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["sentences"]["say.one"]["reading"] == "qing3 kan4"
