"""The one configuration schema: a TOML file, overridden by KIOSK_… environment variables.

Every field says what it is for. `kiosk config check` reports errors with their line; `kiosk config show`
prints what is in force. Secrets are never here: the database key is a systemd credential.
"""

from __future__ import annotations

import re
import tomllib
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from kiosk.config.face import FaceConfig
from kiosk.config.retention import RetentionConfig
from kiosk.config.section import Section
from kiosk.config.staff import StaffConfig
from kiosk.domain.period import PeriodBasis, PeriodRule
from kiosk.domain.status import DeviceKind

REPOSITORY = Path(__file__).resolve().parents[2]
_NUMBERED = re.compile(r"/dev/tty(USB|ACM)\d+")
"""Names that go to whatever was plugged in first."""


class Mode(StrEnum):
    PRODUCTION = "production"
    DEMO = "demo"
    """Emulated devices and a development key are allowed; every case is marked as simulated."""


class SiteConfig(Section):
    name: str = Field("含谷镇便民服务中心", max_length=80, description="What this machine calls itself when it enrols.")
    help_phone: str = Field("023-65731387", description="镇社保所, shown on every screen.")
    other_phones: tuple[str, ...] = Field(("023-68183778", "023-12333"), description="Further lines, printed on slips.")


class CertificationConfig(Section):
    basis: PeriodBasis = Field(PeriodBasis.ROLLING, description="Period counted in rolling months, 365 days or calendar years.")
    cycle_months: int = Field(12, ge=1, le=60, description="Length of the rolling period.")
    count_current_month: bool = Field(True, description="Whether the month of certification is the first of the period.")
    due_soon_days: int = Field(60, ge=0, description="From how many days before the due date a person is told that it is due.")
    attempts_per_session: int = Field(3, ge=1, le=5, description="Face tries before manual review is offered.")
    consent_text_version: str = Field("2026-11-3", description="Version of the consent notice, stored with each consent.")

    def period_rule(self) -> PeriodRule:
        return PeriodRule(self.basis, self.cycle_months, self.count_current_month, self.due_soon_days)


class CameraConfig(Section):
    """What is None stays as the camera has it; settings are in force from the next opening on."""

    source: str = Field("/dev/kiosk/camera", description="Device by stable name, video file, folder of frames or stream.")
    ir_source: str | None = Field(None, description="Infrared half of a binocular module, named like `source`.")
    width: int = Field(1280, ge=640, description="Frame width asked of the camera.")
    height: int = Field(720, ge=360, description="Frame height asked of the camera.")
    fps: float = Field(25.0, gt=0, le=60, description="Frames a second asked of the camera.")
    stale_s: float = Field(3.0, gt=0, description="Without a new frame for this long the camera is opened again.")
    pair_skew_s: float = Field(0.04, gt=0, le=1, description="Colour and infrared further apart in time are no pair.")
    auto_exposure: bool | None = Field(None, description="Whether the camera chooses its exposure itself.")
    exposure_us: int | None = Field(None, ge=100, le=1_000_000, multiple_of=100, description="Exposure in microseconds.")
    brightness: int | None = Field(None, description="On the camera's own scale.")
    gain: int | None = Field(None, description="On the camera's own scale.")
    auto_white_balance: bool | None = Field(None, description="Whether the camera chooses its white balance itself.")
    power_line_hz: Literal[0, 50, 60] | None = Field(None, description="Mains frequency against flicker; 0 for none.")

    @model_validator(mode="after")
    def _exposure_by_hand(self) -> CameraConfig:
        if self.exposure_us is not None and self.auto_exposure is not False:
            raise ValueError("exposure_us: only together with auto_exposure = false")
        return self


class IdCardConfig(Section):
    port: str = Field("/dev/kiosk/idcard", description="Serial port by its stable name, never ttyUSB numbers.")
    baud: int = Field(115200, description="Line speed; SAM_V modules are delivered with 115200.")
    read_new_address: bool = Field(False, description="Also read the address written to the card after its issue.")
    photo_decoder: tuple[str, ...] = Field((), description="Program and arguments that turn the card's photo into a picture.")
    photo_decoder_s: float = Field(2.0, gt=0, le=10, description="How long the photo decoder may take.")


class SocialCardAdapter(StrEnum):
    NONE = "none"
    CRT310 = "crt310"
    """Motor reader CRT-310 on a serial line."""
    PCSC = "pcsc"
    """Any CCID reader behind pcscd."""


class SocialCardConfig(Section):
    adapter: SocialCardAdapter = Field(SocialCardAdapter.NONE, description="Which reader is fitted, if any.")
    port: str = Field("/dev/kiosk/socialcard", description="Serial port of a CRT-310 by its stable name.")
    baud: int = Field(9600, description="Line speed of a CRT-310; delivered with 9600.")
    reader: str = Field("", description="Part of the PC/SC reader's name; empty takes the first reader.")


class ScannerProof(StrEnum):
    NONE = "none"
    """It cannot be asked: only its first good code proves it."""
    NEWLAND = "newland"
    """Answers Newland's query."""


class ScannerConfig(Section):
    enabled: bool = Field(False, description="Whether a code scanner is fitted.")
    port: str = Field("/dev/kiosk/scanner", description="Serial port (USB-COM or RS-232) by its stable name.")
    baud: int = Field(9600, description="Line speed; without meaning for USB-COM.")
    proof: ScannerProof = Field(ScannerProof.NONE, description="How the scanner proves that it is one; newland for their models.")
    aim_id: bool = Field(False, description="The scanner sends the AIM code id (]Q1); then nothing but QR codes is accepted.")


class A4Config(Section):
    enabled: bool = Field(False, description="Whether an A4 printer is fitted.")
    server: str = Field("ipp://localhost:631", description="The CUPS server that owns the queue.")
    queue: str = Field("certificates", pattern="^[A-Za-z0-9_-]{1,60}$", description="Its queue for this printer.")
    printer: str = Field("", description="The printer's own IPP address, asked whether a job was completed.")
    patience_s: float = Field(90.0, gt=0, le=600, description="A job not proved after this long and `page_s` is taken back.")
    page_s: float = Field(10.0, ge=0, le=60, description="Time allowed for each page on top.")
    page_counter: bool = Field(True, description="The printer's count of printed pages, where it has one, is true.")
    ignored_reasons: tuple[str, ...] = Field(
        (), description="printer-state-reasons of this model that hinder nothing, such as media-empty-report of a spare tray."
    )

    @field_validator("server", "printer")
    @classmethod
    def _address_in_numbers(cls, value: str) -> str:
        """Looking up a name could not be interrupted, and a printer that is asked for proof should keep its address."""
        if value and not _is_ipp_address(value):
            raise ValueError("must look like ipp://localhost:631 or ipp://192.0.2.7/ipp/print: a number, no name, no ipps")
        return value

    @model_validator(mode="after")
    def _printer_is_named(self) -> A4Config:
        if self.enabled and not self.printer:
            raise ValueError("printer: without the printer's own address nobody can know whether a sheet came out")
        return self


def _is_ipp_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        numeric = parts.hostname == "localhost" or bool(ip_address(parts.hostname or ""))
        return parts.scheme == "ipp" and parts.port != 0 and numeric and value.isascii() and " " not in value
    except ValueError:
        return False


class PrinterModel(StrEnum):
    """How a receipt printer speaks; what each make does differently stands in `kiosk/devices/printer/profile.py`."""

    EPSON = "epson"
    """Says itself when a slip is complete (GS ( H): TM-T20, T82, T88V and later, m30."""
    SNBC = "snbc"
    CUSTOM = "custom"
    """Custom VKP, KPM and Pyramid Reliance: full status, a mouth that holds the slip."""
    CLONE = "clone"
    """Gprinter, XPrinter, HPRT, Cashino, Rongta and the like."""
    MUTE = "mute"
    """A printer that never answers: nobody can know whether a slip came out."""


class PrinterConfig(Section):
    port: str = Field("/dev/kiosk/printer", description="Serial port by its stable name.")
    baud: int = Field(115200, description="Line speed as set on the printer.")
    width_dots: int = Field(576, description="576 for 80 mm paper, 384 for 58 mm.")
    fence_patience_s: float = Field(30.0, description="How long a stopped slip may wait for paper before it counts as unknown.")
    profile: PrinterModel = Field(PrinterModel.EPSON, description="How the model speaks; `kiosk print test` helps to choose.")
    text_mode: bool = Field(False, description="Send letters instead of a picture: for lines slower than 115200 baud.")
    ticket_left_s: float = Field(60.0, gt=0, description="A slip left in the mouth for this long is taken back or reported.")


class UiConfig(Section):
    fullscreen: bool = Field(True, description="Fill the screen; off only on a desk.")
    width: int = Field(1080, ge=480, description="Window width when not fullscreen.")
    height: int = Field(1920, ge=480, description="Window height when not fullscreen.")
    idle_s: float = Field(60.0, gt=0, description="Without a touch for this long the idle warning appears.")
    countdown_s: int = Field(30, ge=20, description="Seconds of the idle warning before everything is wiped.")
    result_s: float = Field(45.0, gt=0, description="How long the result stays without a touch.")
    take_card_s: float = Field(20.0, gt=0, description="How long the reminder to take the card stays.")
    ended_s: float = Field(8.0, gt=0, description="How long the last screen of a cancelled conversation stays.")
    debounce_s: float = Field(0.5, ge=0, description="Presses this soon after a screen change are not meant.")
    delivery_wait_s: float = Field(4.0, ge=0, description="How long the slip waits for the office's receipt.")
    font_dir: Path = Field(REPOSITORY / "build" / "fonts", description="The screen font built by the set-up.")
    texts: Path = Field(REPOSITORY / "assets" / "texts" / "zh_CN.toml", description="Text catalogue.")
    voice_dir: Path = Field(REPOSITORY / "build" / "voice", description="Voice pack: one WAV per text id.")
    voice: bool = Field(True, description="Speak every step.")


class Suite(StrEnum):
    """Every stored value names its algorithms, so both can stand side by side."""

    INTERNATIONAL = "international"
    """SHA-256, AES-256-GCM."""
    SM = "sm"
    """GB/T 32905 SM3 and GB/T 32907 SM4-GCM in place of SHA-256 and AES-GCM; keys stay X25519 and Ed25519."""


class StoreConfig(Section):
    path: Path = Field(Path("/var/lib/kiosk/terminal.db"), description="The encrypted database.")
    key_file: Path | None = Field(None, description="64 hex digits. Unset: systemd credential `kiosk-db-key`; demo makes one.")
    free_floor_mb: int = Field(512, ge=0, description="Below this much free disk no new case is taken.")
    ballast_mb: int = Field(128, ge=0, description="A file that is given up when the disk is full, so that work can end.")
    backup_dir: Path | None = Field(None, description="Where verified copies of the database go; unset: none are made.")
    backup_keep: int = Field(2, ge=1, description="So many verified copies are kept.")
    suite: Suite = Field(Suite.INTERNATIONAL, description="Algorithms of what is sealed, chained and indexed from now on.")


class SyncConfig(Section):
    office_url: str | None = Field(
        None, pattern=r"^https?://[^\s/?#@]+$",
        description="The office's address for short enrolment codes; a long code brings its own.",
    )
    poll_s: float = Field(1.0, gt=0, description="How often the outbox is looked at.")
    pull_s: float = Field(300.0, gt=0, description="How often roster and decisions are asked for.")
    heartbeat_s: float = Field(60.0, gt=0, description="How often the office hears how this machine is; sooner on a change.")
    backoff_base_s: float = Field(1.0, gt=0, description="First wait after a failed delivery; doubles with each.")
    backoff_cap_s: float = Field(3600.0, gt=0, description="Longest wait between two tries of one case.")
    connect_timeout_s: float = Field(10.0, gt=0, description="How long to wait for a connection.")
    total_timeout_s: float = Field(60.0, gt=0, description="How long one delivery may take; bad lines need up to 41 s.")
    part_kb: int = Field(256, ge=16, le=256, description="A sealed case larger than this travels in pieces.")
    max_unsent: int = Field(5000, ge=1, description="With more unsent cases than this no new one is taken.")
    reconcile_days: int = Field(180, ge=1, le=400, description="So many days back terminal and office compare what they hold.")
    renew_days: int = Field(180, ge=1, description="Age of the device key from which it is renewed.")
    content_dir: Path | None = Field(None, description="Content packages; unset: `content` beside the database.")


class KioskConfig(BaseSettings):
    """The terminal's configuration."""

    model_config = SettingsConfigDict(env_prefix="KIOSK_", env_nested_delimiter="__", extra="forbid", frozen=True)

    mode: Mode = Field(Mode.PRODUCTION, description="`demo` allows emulators and a development key.")
    site: SiteConfig = SiteConfig()
    certification: CertificationConfig = CertificationConfig()
    face: FaceConfig = FaceConfig()
    staff: StaffConfig = StaffConfig()
    camera: CameraConfig = CameraConfig()
    idcard: IdCardConfig = IdCardConfig()
    socialcard: SocialCardConfig = SocialCardConfig()
    scanner: ScannerConfig = ScannerConfig()
    printer: PrinterConfig = PrinterConfig()
    a4: A4Config = A4Config()
    ui: UiConfig = UiConfig()
    store: StoreConfig = StoreConfig()
    retention: RetentionConfig = RetentionConfig()
    sync: SyncConfig = SyncConfig()

    @property
    def devices(self) -> tuple[DeviceKind, ...]:
        """What this machine has."""
        optional = {
            DeviceKind.SOCIALCARD: self.socialcard.adapter is not SocialCardAdapter.NONE,
            DeviceKind.SCANNER: self.scanner.enabled,
            DeviceKind.A4: self.a4.enabled,
        }
        return tuple(kind for kind in DeviceKind if optional.get(kind, True))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings  # the environment wins over the file

    @model_validator(mode="after")
    def _production_uses_devices(self) -> KioskConfig:
        if self.mode is Mode.DEMO:
            return self
        for name, source in (("source", self.camera.source), ("ir_source", self.camera.ir_source)):
            if source is not None and not source.startswith("/dev/"):
                raise ValueError(f"camera.{name}: in production only a device (/dev/…); files and streams need mode = \"demo\"")
            if source is not None and source.startswith("/dev/video"):
                raise ValueError(f"camera.{name}: in production only a stable name such as /dev/kiosk/camera; numbers change")
        return self

    @model_validator(mode="after")
    def _rows_outlive_reconciliation(self) -> KioskConfig:
        if self.retention.rows_days <= self.sync.reconcile_days:
            raise ValueError(
                f"retention.rows_days: must be more than sync.reconcile_days ({self.sync.reconcile_days}); days compared with "
                "the office have to be whole"
            )
        return self

    @model_validator(mode="after")
    def _production_uses_stable_names(self) -> KioskConfig:
        ports = {
            "idcard": self.idcard.port,
            "printer": self.printer.port,
            "socialcard": self.socialcard.port if self.socialcard.adapter is SocialCardAdapter.CRT310 else "",
            "scanner": self.scanner.port if self.scanner.enabled else "",
        }
        for name, port in ports.items():
            if self.mode is Mode.PRODUCTION and _NUMBERED.fullmatch(port):
                raise ValueError(
                    f"{name}.port: in production only a stable name such as /dev/kiosk/{name} or /dev/serial/by-path/…; "
                    "numbers change, `kiosk devices find` prints the udev rule"
                )
        return self


class ConfigError(Exception):
    """The configuration cannot be used; the message names file, line and what is allowed."""


def load_config(path: Path | None, **overrides: Any) -> KioskConfig:
    """Reads the file (None: defaults and environment only). `overrides` replace top-level sections.

    Raises ConfigError with one line per fault.
    """
    text, data = "", {}
    if path is not None:
        try:
            text = path.read_text(encoding="utf-8")
            data = tomllib.loads(text)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigError(f"{path}: is not UTF-8 text") from None
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{path}: is not valid TOML: {error}") from None
    try:
        return KioskConfig(**{**data, **overrides})
    except SettingsError as error:
        raise ConfigError(f"environment: {error}") from None
    except ValidationError as error:
        where = str(path) if path is not None else "environment"
        raise ConfigError("\n".join(_explain(where, text, fault) for fault in error.errors())) from None


def _explain(where: str, text: str, fault: Any) -> str:
    keys = [str(part) for part in fault["loc"] if not isinstance(part, int)]  # a list stands on the line of its name
    message = fault["msg"].removeprefix("Value error, ")
    if not keys and ": " in message:  # a rule over several sections names the setting itself
        name, message = message.split(": ", 1)
        keys = name.split(".")
    line = _line_of(text, keys)
    place = f"{where}:{line}" if line else where
    if fault["type"] == "extra_forbidden":
        message = f"is not a known setting; known here: {', '.join(_known_fields(keys[:-1]))}"
    return f"{place}: {'.'.join(keys)}: {message}" if keys else f"{place}: {message}"


def _known_fields(keys: list[str]) -> list[str]:
    model: Any = KioskConfig
    for key in keys:
        model = model.model_fields[key].annotation
    return sorted(model.model_fields)


def _line_of(text: str, keys: list[str]) -> int | None:
    """The line of a setting, for people: looks for the key inside its [section]."""
    if not keys:
        return None
    section, wanted = "", ".".join(keys[:-1])
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line.strip("[] ")
            if section == ".".join(keys):
                return number
        elif "=" in line and section == wanted and line.split("=", 1)[0].strip() == keys[-1]:
            return number
    return None
