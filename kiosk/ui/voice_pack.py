"""A folder of recordings, one WAV per text id, and the manifest that says which sentence each of them speaks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kiosk.texts import Texts

MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class VoicePack:
    """Recordings that speak the present sentences, and the ids that have none."""

    files: Mapping[str, Path]
    missing: tuple[str, ...]
    """Never recorded, recorded for another wording, or gone: silent, the sentence stands on the screen."""


def sentence_hash(sentence: str) -> str:
    return hashlib.sha256(sentence.encode()).hexdigest()


def wav_name(text_id: str) -> str:
    return f"{text_id}.wav"


def read_pack(pack_dir: Path, texts: Texts) -> VoicePack:
    """A folder or manifest that cannot be read counts as an empty pack."""
    recorded = _recorded_hashes(pack_dir / MANIFEST)
    files, missing = {}, []
    for text_id, sentence in texts.sentences.items():
        if not sentence.voice:
            continue
        path = pack_dir / wav_name(text_id)
        if recorded.get(text_id) == sentence_hash(sentence.voice) and path.is_file():
            files[text_id] = path
        else:
            missing.append(text_id)
    return VoicePack(files, tuple(missing))


def _recorded_hashes(manifest: Path) -> dict[str, str]:
    try:
        entries = json.loads(manifest.read_text(encoding="utf-8"))["sentences"]
        return {text_id: str(entry["sentence"]) for text_id, entry in entries.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}
