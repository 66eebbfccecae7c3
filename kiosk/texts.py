"""The text catalogue: every sentence a person sees, hears or finds on paper, by its id.

One TOML table per id (`[coach.blink]`, `[staff.printer.paper_out]`), with
    text    what the screen shows; may hold {placeholders}
    voice   `true`: the text is spoken as it stands; a string: this is spoken instead; absent: never spoken
    slip    the form of the sentence on paper, with the same placeholders
    pinyin  readings of words the pinyin dictionary gets wrong, as { "长" = "chang2" }
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter
from typing import Any

_FIELDS = frozenset({"text", "voice", "slip", "pinyin"})


class TextError(Exception):
    """The catalogue cannot be used, or it was asked for something it does not have."""


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    voice: str = ""
    """Empty: never spoken."""
    slip: str = ""
    pinyin: Mapping[str, str] = field(default_factory=dict)
    """Word → syllables with tone digits, separated by spaces."""


@dataclass(frozen=True, slots=True)
class Texts:
    """All sentences of one language."""

    sentences: Mapping[str, Sentence] = field(repr=False)

    def __contains__(self, text_id: str) -> bool:
        return text_id in self.sentences

    def text(self, text_id: str, **values: object) -> str:
        """The sentence for the screen. Raises TextError for an unknown id or values that do not match its placeholders."""
        return _filled(text_id, self._sentence(text_id).text, values)

    def slip(self, text_id: str, **values: object) -> str:
        """The sentence for paper; where it has no form of its own, the screen's. Raises TextError as `text` does."""
        sentence = self._sentence(text_id)
        return _filled(text_id, sentence.slip or sentence.text, values)

    def spoken(self, text_id: str) -> str:
        """What the voice says for this id; empty where it says nothing. Raises TextError for an unknown id."""
        return self._sentence(text_id).voice

    def require(self, text_ids: Iterable[str]) -> None:
        """Raises TextError naming every id that is missing: to be called at start, before anybody sees a screen."""
        missing = sorted(set(text_ids) - self.sentences.keys())
        if missing:
            raise TextError(f"the text catalogue lacks: {', '.join(missing)}")

    def _sentence(self, text_id: str) -> Sentence:
        try:
            return self.sentences[text_id]
        except KeyError:
            raise TextError(f"the text catalogue lacks: {text_id}") from None


def load_texts(path: Path) -> Texts:
    """Reads a catalogue. Raises TextError naming the file and the id at fault."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TextError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise TextError(f"{path}: is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise TextError(f"{path}: is not valid TOML: {error}") from None
    sentences: dict[str, Sentence] = {}
    try:
        _collect("", data, sentences)
    except ValueError as error:
        raise TextError(f"{path}: {error}") from None
    return Texts(sentences)


def _collect(prefix: str, table: dict[str, Any], found: dict[str, Sentence]) -> None:
    """A table that holds tables only is a group; every other one is a sentence."""
    for name, entry in table.items():
        text_id = prefix + name
        if not isinstance(entry, dict):
            raise ValueError(f"{text_id}: a sentence stands in its own table [{prefix}…]")
        if entry and all(isinstance(each, dict) for each in entry.values()):
            _collect(f"{text_id}.", entry, found)
            continue
        try:
            found[text_id] = _sentence(entry)
        except ValueError as error:
            raise ValueError(f"{text_id}: {error}") from None


def _sentence(entry: dict[str, Any]) -> Sentence:
    unknown = sorted(entry.keys() - _FIELDS)
    if unknown:
        raise ValueError(f"has unknown fields {', '.join(unknown)}; known are {', '.join(sorted(_FIELDS))}")
    text, slip, pinyin = entry.get("text", ""), entry.get("slip", ""), entry.get("pinyin", {})
    voice = text if entry.get("voice") is True else entry.get("voice", "")
    if not (isinstance(text, str) and isinstance(voice, str) and isinstance(slip, str)):
        raise ValueError("text and slip are strings, voice is a string or true")
    if not text.strip():
        raise ValueError("has no text")
    if _placeholders(voice):
        raise ValueError("a spoken sentence is recorded once and cannot hold placeholders; write a `voice` without them")
    names = _placeholders(text)
    if slip and _placeholders(slip) != names:
        raise ValueError("text and slip need the same placeholders")
    if not isinstance(pinyin, dict) or not all(isinstance(reading, str) for reading in pinyin.values()):
        raise ValueError("pinyin is a table of word and reading")
    unused = [word for word in pinyin if word not in voice]
    if unused:
        raise ValueError(f"pinyin names {', '.join(unused)}, which the voice does not say")
    return Sentence(text, voice, slip, dict(pinyin))


def _placeholders(pattern: str) -> frozenset[str]:
    names = set()
    for _, name, spec, conversion in Formatter().parse(pattern):
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise ValueError(f"a placeholder is a plain name in braces, not {{{name}}}")
        names.add(name)
    return frozenset(names)


def _filled(text_id: str, pattern: str, values: Mapping[str, object]) -> str:
    wanted = _placeholders(pattern)
    if wanted != values.keys():
        raise TextError(f"{text_id}: needs the values {sorted(wanted)}, got {sorted(values)}")
    return pattern.format(**values)
