"""A real pcscd with a virtual reader (vpcd of vsmartcard), and the emulated card that is put into it.

vpcd listens on loopback; a card is a client that connects. Every message has two bytes of length before it, big-endian.
One byte is a control (00 power off, 01 power on, 02 reset, 04 asks for the answer to reset), anything else a C-APDU.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType

from kiosk.devices.emulated.socialcard import ScriptedCard, Silence

READER = "Virtual PCD 00 00"
_DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
_RUN = Path("/run/pcscd")
"""Compiled into pcscd: one of it per machine."""
_LOCK = Path("/run/lock/kiosk-pcscd")
_START_S = 20.0
_STOP_S = 2.0
_WAIT_S = 120.0
_SETTLE_S = 0.7
"""pcscd looks every 0.4 s; a card put in sooner after another one was taken out is not noticed."""
_GET_ATR = b"\x04"
_NO_ANSWER = bytes(40)
"""Longer than an answer to reset may be: the driver takes the power-up for failed, as with a chip that is silent."""


class Pcscd:
    """Entered as a context. Needs root, because of its socket in /run; two at a time wait for each other."""

    def __init__(self, folder: Path) -> None:
        """folder: for its configuration and log."""
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = -1
        self.port = _free_ports()
        """Where a card connects to."""
        self.free_since = 0.0
        """When the last card was taken out, in monotonic seconds."""

    def __enter__(self) -> Pcscd:
        """Raises RuntimeError when it is not installed, does not start, or somebody else's runs."""
        if not _DRIVER.exists():
            raise RuntimeError("vpcd is not installed: pcscd and vsmartcard-vpcd are needed, see requirements")
        configuration = self._folder / "readers"
        configuration.mkdir(parents=True, exist_ok=True)
        (configuration / "vpcd").write_text(
            f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:{self.port:#06X}\nLIBPATH {_DRIVER}\nCHANNELID {self.port:#06X}\n'
        )
        self._lock = _take_lock()
        try:
            self.start()
        except BaseException:
            os.close(self._lock)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        os.close(self._lock)

    def start(self) -> None:
        _RUN.mkdir(parents=True, exist_ok=True)
        if _somebody_listens(_RUN / "pcscd.comm"):
            raise RuntimeError("another pcscd runs on this machine")
        _forget_stale()
        command = ["pcscd", "--foreground", "--config", str(self._folder / "readers")]
        if "--disable-polkit" in subprocess.run(["pcscd", "--help"], capture_output=True, text=True, check=False).stdout:
            command.append("--disable-polkit")
        with (self._folder / "pcscd.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + _START_S
        while not _somebody_listens(_RUN / "pcscd.comm"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"pcscd did not start; see {self._folder / 'pcscd.log'}")
            time.sleep(0.02)

    def stop(self) -> None:
        """In order where it can, by force where a driver hangs."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        _forget_stale()

    def kill(self) -> None:
        """As the kernel does it, leaving its files behind."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def settle(self) -> None:
        """Waits until a card taken out just now is gone for pcscd, too."""
        time.sleep(max(0.0, self.free_since + _SETTLE_S - time.monotonic()))

    def freeze(self) -> None:
        """It stays and answers nothing."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)


class VpcdCard:
    """A card in the virtual reader while entered as a context."""

    def __init__(self, card: ScriptedCard, daemon: Pcscd) -> None:
        self._card = card
        self._daemon = daemon
        self._socket: socket.socket
        self._thread = threading.Thread(target=self._serve, name="emulated-vpcd-card", daemon=True)

    def __enter__(self) -> VpcdCard:
        self._daemon.settle()
        self._socket = socket.create_connection(("127.0.0.1", self._daemon.port), timeout=_START_S)
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.pull()
        self._thread.join()
        self._daemon.free_since = time.monotonic()

    @property
    def inside(self) -> bool:
        return self._thread.is_alive()

    def pull(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        with self._socket, contextlib.suppress(OSError, EOFError):
            while True:
                message = self._message()
                if len(message) == 1:
                    self._control(message)
                    continue
                answer = self._card.answer(message)
                if answer is Silence.GONE:
                    return
                if isinstance(answer, bytes):
                    self._send(answer)

    def _control(self, message: bytes) -> None:
        if message == _GET_ATR:
            self._send(self._card.atr or _NO_ANSWER)
        else:
            self._card.power_off()

    def _message(self) -> bytes:
        (size,) = struct.unpack(">H", self._exactly(2))
        return self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # vpcd sends the length by itself
            part = self._socket.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def _send(self, data: bytes) -> None:
        self._socket.sendall(struct.pack(">H", len(data)) + data)


def _free_ports() -> int:
    """The first of two neighbours: vpcd takes one for each of its two slots."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                second.bind(("127.0.0.1", port + 1))
                return port


def _take_lock() -> int:
    _LOCK.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(_LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + _WAIT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise RuntimeError("another emulated pcscd has been running for too long") from None
            time.sleep(0.1)


def _somebody_listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _forget_stale() -> None:
    for name in ("pcscd.comm", "pcscd.pid"):
        (_RUN / name).unlink(missing_ok=True)
