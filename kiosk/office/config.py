"""What can be set about the office, all by KIOSK_OFFICE_… environment variables."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from kiosk.domain.period import PeriodBasis, PeriodRule
from kiosk.sync.wire.suites import SUITES


class OfficeConfig(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="KIOSK_OFFICE_", frozen=True)

    data: Path = Field(Path("var/office"), description="Data directory: database, keys.")
    db: str = Field("", pattern=r"^(postgresql://.+)?$", description="PostgreSQL URL; empty: SQLite in the data directory.")
    url: str = Field(
        "http://127.0.0.1:8000", pattern=r"^https?://[^\s/?#@]+$",
        description="How terminals and officers reach the office; goes into enrolment codes. https behind nginx.",
    )
    hosts: tuple[str, ...] = Field((), description="Further host names the office answers to, as a JSON list.")
    name: str = Field("镇社保所", description="Name of the office, on the desk's pages.")
    demo: bool = Field(False, description="Cases of emulated devices count like real ones. Never in a real office.")
    basis: PeriodBasis = Field(PeriodBasis.ROLLING, description="Period counted in rolling months, 365 days or calendar years.")
    cycle_months: int = Field(12, ge=1, le=60, description="Length of the rolling period.")
    count_current_month: bool = Field(True, description="Whether the month of certification is the first of the period.")
    algorithms: tuple[str, ...] = Field(
        tuple(SUITES), min_length=1,
        description="Sealing algorithms taken from terminals without a list of their own, as a JSON list.",
    )
    free_floor_mb: int = Field(512, ge=0, description="Below this much free disk no envelope is taken.")
    lost_after_min: int = Field(10, ge=1, description="A terminal without a heartbeat for so many minutes is shown as lost.")
    templates_min: int = Field(2, ge=1, description="With fewer templates the desk advises another enrolment.")
    renew_months: int = Field(24, ge=1, description="So old all photographs may be before the desk advises another enrolment.")
    backup_dir: Path | None = Field(None, description="Where backups go; unset: `backups` in the data directory.")
    backup_second_dir: Path | None = Field(
        None, description="Folder on a second medium, which has to exist: then only the copy there makes a case safe.",
    )
    backup_interval_h: float = Field(6.0, gt=0, le=12, description="Hours between backups; terminals erase what is safe.")
    backup_keep: int = Field(2, ge=2, description="So many verified copies are kept.")
    pictures_days: int = Field(30, ge=0, description="Days after a decision for which its photographs and clips are kept.")
    envelope_days: int = Field(3650, ge=365, description="Days for which envelopes are kept as received: the archive's time.")
    reasons: tuple[str, ...] = Field(
        (
            "照片不够清楚，请再认证一次。",
            "照片中看不到完整的面部，请再认证一次。",
            "需要工作人员当面核对，请到镇社保所办理。",
            "信息需要核对，请与镇社保所联系。",
        ),
        min_length=1, description="What an officer may give as reason; the person reads it at the next visit.",
    )

    enrolment_reasons: tuple[str, ...] = Field(
        (
            "照片不够清楚，请重新采集。",
            "照片中看不到完整的面部，请重新采集。",
            "三张照片看起来不是同一个人，请当面核对后重新采集。",
            "与证件或留存照片差别较大，请当面核对后重新采集。",
            "与其他人员相似，请当面核对后重新采集。",
        ),
        min_length=1, description="What an officer may give as reason for not using an enrolment; for colleagues.",
    )

    def period_rule(self) -> PeriodRule:
        return PeriodRule(self.basis, self.cycle_months, self.count_current_month)

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def https(self) -> bool:
        return self.url.startswith("https://")

    def database(self) -> dict[str, Any]:
        """Django's DATABASES["default"]."""
        # A kept connection saves the PRAGMAs or the login of every request; each thread keeps one.
        common = {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
        if self.db:
            url = urlsplit(self.db)
            return common | {
                "ENGINE": "django.db.backends.postgresql", "NAME": url.path.removeprefix("/"),
                "USER": unquote(url.username or ""), "PASSWORD": unquote(url.password or ""),
                "HOST": unquote(url.hostname or ""), "PORT": str(url.port or ""),
            }
        return common | {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": self.data / "office.db",
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": (
                    "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA trusted_schema=OFF;"
                    "PRAGMA cell_size_check=ON;PRAGMA secure_delete=ON;PRAGMA journal_size_limit=67108864;"
                ),
            },
        }
