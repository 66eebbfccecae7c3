#!/usr/bin/env python3
"""Builds the placeholder voice: one WAV per spoken sentence of a text catalogue, by espeak-ng from pinyin.

usage: build_voice.py CATALOGUE OUT_DIR

Only changed sentences are made anew; recordings of sentences that are gone are removed. The Mandarin voice of
espeak-ng 1.51 reads many characters as English letters (espeak-ng #1236), so it is fed pinyin with tone digits.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pypinyin import Style, lazy_pinyin

from kiosk.texts import Sentence, TextError, load_texts
from kiosk.ui.voice_pack import MANIFEST, sentence_hash, wav_name

SPEAKER: Final = ("espeak-ng", "-v", "cmn-latn-pinyin", "-s", "140")
_PUNCTUATION: Final = str.maketrans("，、：；。？！", ",,,,...", "“”")


def reading(sentence: Sentence) -> str:
    """The spoken sentence as pinyin with tone digits, 5 for the neutral tone; the catalogue's own readings win."""
    own_words = "|".join(map(re.escape, sentence.pinyin))
    words = re.split(f"({own_words})", sentence.voice) if own_words else [sentence.voice]
    syllables = [_word_reading(word, sentence.pinyin) for word in words if word]
    return re.sub(r"\s+([,.])", r"\1", " ".join(syllables).translate(_PUNCTUATION)).strip()


def _word_reading(word: str, own: Mapping[str, str]) -> str:
    return own.get(word) or " ".join(lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True))


def build(catalogue: Path, out_dir: Path) -> tuple[int, int]:
    """Returns how many recordings were made and how many stale files removed.

    Raises TextError for an unusable catalogue, OSError or CalledProcessError where espeak-ng is missing or fails.
    """
    spoken = {text_id: sentence for text_id, sentence in load_texts(catalogue).sentences.items() if sentence.voice}
    out_dir.mkdir(parents=True, exist_ok=True)
    before = _read_manifest(out_dir / MANIFEST)
    wanted = {
        text_id: {"sentence": sentence_hash(sentence.voice), "reading": reading(sentence)}
        for text_id, sentence in spoken.items()
    }
    made = 0
    for text_id, entry in wanted.items():
        target = out_dir / wav_name(text_id)
        if before.get(text_id) != entry or not target.is_file():
            _speak(entry["reading"], target)
            made += 1
    keep = {MANIFEST, *map(wav_name, wanted)}
    stale = [path for path in out_dir.iterdir() if path.name not in keep]
    for path in stale:
        path.unlink()
    manifest = json.dumps({"speaker": SPEAKER, "sentences": wanted}, indent=1, sort_keys=True)
    (out_dir / MANIFEST).write_text(manifest + "\n", encoding="utf-8")
    return made, len(stale)


def _read_manifest(path: Path) -> dict[str, Any]:
    """What the last run recorded; nothing if another voice made it."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        sentences = data["sentences"] if data["speaker"] == list(SPEAKER) else {}
    except (OSError, ValueError, LookupError, TypeError):
        return {}
    return sentences if isinstance(sentences, dict) else {}


def _speak(pinyin: str, target: Path) -> None:
    """Into a file, not a pipe: only then are the lengths in the WAV header right. A cut run leaves nothing half."""
    half = target.with_suffix(".part")
    subprocess.run([*SPEAKER, "-w", str(half), pinyin], check=True, capture_output=True)
    os.replace(half, target)


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        made, removed = build(Path(arguments[0]), Path(arguments[1]))
    except TextError as error:
        print(error, file=sys.stderr)
        return 1
    except FileNotFoundError:
        print("espeak-ng was not found; tools/setup installs it", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"espeak-ng failed: {error.stderr.decode(errors='replace').strip()}", file=sys.stderr)
        return 1
    print(f"voice: {made} recordings made, {removed} stale files removed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
