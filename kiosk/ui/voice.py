"""The voice: plays one recording at a time. Nothing waits for it, and nothing is only spoken."""

from __future__ import annotations

import logging
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QUrl, Slot

from kiosk.texts import Texts
from kiosk.ui.voice_pack import read_pack

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QMediaPlayer

log = logging.getLogger(__name__)

VOLUME: Final = 1.0
"""Set anew with every sentence: nobody inherits the volume of the person before (EN 301 549, 5.1.3.13)."""


class VoiceState(StrEnum):
    READY = "ready"
    INCOMPLETE = "incomplete"
    """Some sentences have no recording; see `missing`."""
    NO_DEVICE = "no_device"
    NO_LIBRARY = "no_library"
    OFF = "off"


class Voice(QObject):
    """The flow's `Voice` port."""

    def __init__(self, texts: Texts, pack_dir: Path, *, enabled: bool = True) -> None:
        super().__init__()
        self._texts = texts
        self._enabled = enabled
        self._pack = read_pack(pack_dir, texts)
        self._last = ""
        self._player = self._open_player() if enabled else None

    @property
    def missing(self) -> tuple[str, ...]:
        """Ids that are spoken but have no usable recording."""
        return self._pack.missing

    @property
    def state(self) -> VoiceState:
        if not self._enabled:
            return VoiceState.OFF
        if self._player is None:
            return VoiceState.NO_LIBRARY
        if not _device_present():
            return VoiceState.NO_DEVICE
        return VoiceState.INCOMPLETE if self.missing else VoiceState.READY

    def say(self, text_id: str) -> None:
        """Speaks one sentence of the catalogue; an earlier one stops. Silent where there is no recording or no sound."""
        self.stop()
        self._last = text_id
        path = self._pack.files.get(text_id)
        if path is None or self._player is None or not _device_present():
            return
        self._player.audioOutput().setVolume(VOLUME)
        self._player.setSource(QUrl.fromLocalFile(str(path)))
        self._player.play()

    def repeat(self) -> None:
        if self._last:
            self.say(self._last)

    def stop(self) -> None:
        if self._player is not None:
            self._player.stop()

    def _open_player(self) -> QMediaPlayer | None:
        try:
            from PySide6.QtMultimedia import QAudioOutput, QMediaPlayer
        except ImportError as error:  # a system library of sound is not installed
            log.warning("no voice: %s", error)
            return None
        player = QMediaPlayer(self)
        player.setAudioOutput(QAudioOutput(self))
        player.errorOccurred.connect(self._failed)
        return player

    @Slot()
    def _failed(self) -> None:
        if self._player is not None:
            log.warning("voice: %s", self._player.errorString())


def _device_present() -> bool:
    from PySide6.QtMultimedia import QMediaDevices

    return not QMediaDevices.defaultAudioOutput().isNull()
