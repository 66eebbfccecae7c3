"""How a terminal stands, judged from its last heartbeat: lost, or in contact and then well or not."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince

from kiosk.domain.status import DeviceState
from kiosk.office.desk.device_words import KINDS, STATES, words
from kiosk.office.models import DeviceReport, Heartbeat, Terminal

_SILENT_TERMINAL = dt.timedelta(minutes=3)
"""The terminal process says once a minute that it runs."""
_CLOCK_OFF = dt.timedelta(minutes=5)
_UNSENT_LONG_S = 3600
_DISK_LOW_MB = 1024
_LOST = "可能停电或断网，请到现场看是否开机、网线是否插好；下面是失联前最后的情况"
_NOT_RUNNING = "办不了业务，请重启终端，还不行请联系技术员；下面是它停下前最后的情况"
_TECHNICIAN = "请联系技术员"
_COPIED = (
    "硬盘可能被复制，或换回了旧备份；请到现场找出真机，在真机上重新接入，另一台停用或用新编号接入；"
    "如果有一台不知在哪里，请先停用再接入"
)
_CHAIN = (
    "记录可能被改过、删过，或机器换回了旧数据；先不要重装或清除，请联系技术员到现场核对（kiosk audit verify），"
    "并核对此后收到的办件，查清后再重新接入"
)


class Standing(Enum):
    """The value is the colour's name in desk.css."""

    WELL = "well"
    ATTENTION = "attention"
    FAULT = "fault"
    LOST = "lost"
    NEVER = "never"
    REVOKED = "revoked"


_LABELS = {
    Standing.WELL: "在线，正常",
    Standing.ATTENTION: "在线，需留意",
    Standing.FAULT: "在线，有故障",
    Standing.LOST: "失联",
    Standing.NEVER: "还没有心跳",
    Standing.REVOKED: "已停用",
}
_DEVICES = {
    DeviceState.READY.value: Standing.WELL,
    DeviceState.BUSY.value: Standing.WELL,
    DeviceState.OFFLINE.value: Standing.FAULT,
    DeviceState.UNKNOWN.value: Standing.FAULT,
}
"""Anything else, also what a newer terminal may invent, is to be looked at."""
_CANNOT_TELL = frozenset({"unproven", "no_status"})
"""UNKNOWN for good, because this model has no way to answer: to be looked at, but no fault."""
_SEVERITY = (Standing.FAULT, Standing.ATTENTION, Standing.WELL)


@dataclass(frozen=True, slots=True)
class DeviceLine:
    name: str
    standing: Standing
    state: str
    wrong: str
    to_do: str
    since: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Remark:
    """What concerns the whole terminal: what it is, and what follows."""

    wrong: str
    to_do: str

    def __str__(self) -> str:
        return f"{self.wrong}，{self.to_do}。"


@dataclass(frozen=True, slots=True)
class Condition:
    standing: Standing
    remarks: tuple[Remark, ...] = ()
    devices: tuple[DeviceLine, ...] = ()
    stale: bool = False
    """Nobody knows how the devices are now; these are their last words."""

    @property
    def label(self) -> str:
        return _LABELS[self.standing]

    @property
    def summary(self) -> str:
        """For the list: everything that is not well, in a few words."""
        parts = [remark.wrong for remark in self.remarks]
        if not self.stale:
            parts += [f"{one.name}：{one.wrong or one.state}" for one in self.devices if one.standing is not Standing.WELL]
        return "；".join(parts)


def judge(terminal: Terminal, now: dt.datetime) -> Condition:
    key = terminal.keys.first()
    if key is not None and key.revoked is not None:
        return Condition(Standing.REVOKED)
    last: Heartbeat | None = getattr(terminal, "heartbeat", None)
    if last is None:
        return Condition(Standing.NEVER, (Remark("没有报告过", "可能没有开机、没有联网，或软件版本太旧"),))
    lines = (_line(report) for report in terminal.devices.all())
    devices = tuple(sorted(lines, key=lambda one: _SEVERITY.index(one.standing)))
    lost_after = settings.OFFICE.lost_after_min
    if now - last.received > dt.timedelta(minutes=lost_after):
        lost = Remark(f"超过{lost_after}分钟没有心跳", _LOST)
        return Condition(Standing.LOST, (lost, *_copied(terminal), *_chain(terminal)), devices, stale=True)
    hints = (*_copied(terminal), *_chain(terminal), *_hints(last))
    if not _terminal_runs(last):
        return Condition(Standing.FAULT, (Remark("终端程序没有运行", _NOT_RUNNING), *hints), devices, stale=True)
    worst = min((one.standing for one in devices), key=_SEVERITY.index, default=Standing.WELL)
    return Condition(Standing.ATTENTION if hints and worst is Standing.WELL else worst, hints, devices)


def _line(report: DeviceReport) -> DeviceLine:
    said = words(report.kind, report.state, report.reason)
    standing = _DEVICES.get(report.state, Standing.ATTENTION)
    if report.state == DeviceState.UNKNOWN and report.reason in _CANNOT_TELL:
        standing = Standing.ATTENTION
    return DeviceLine(
        KINDS.get(report.kind, report.kind), standing,
        STATES.get(report.state, report.state), said.wrong, said.to_do, report.since,
    )


def _terminal_runs(last: Heartbeat) -> bool:
    return last.terminal_seen is not None and abs(last.sent - last.terminal_seen) <= _SILENT_TERMINAL


def _copied(terminal: Terminal) -> tuple[Remark, ...]:
    if terminal.clone_noticed is None:
        return ()
    since = date_format(timezone.localtime(terminal.clone_noticed), "n月j日 H:i")
    return (Remark(f"{since}发现有两台机器在用这个终端编号", _COPIED),)


def _chain(terminal: Terminal) -> tuple[Remark, ...]:
    if terminal.head_differs is None:
        return ()
    since = terminal.head_differs_from or terminal.head_differs
    return (Remark(f"审计记录从{date_format(timezone.localtime(since), 'n月j日 H:i')}起对不上", _CHAIN),)


def _hints(last: Heartbeat) -> tuple[Remark, ...]:
    off, waited_s = last.sent - last.received, last.oldest_unsent_s or 0
    waited = _span(dt.timedelta(seconds=waited_s))
    checks = (
        (abs(off) > _CLOCK_OFF, f"终端的时钟{'快' if off > dt.timedelta() else '慢'}了{_span(abs(off))}", "请技术员校正"),
        (last.dead, f"有{last.dead}件办件被拒收", _TECHNICIAN),
        (last.held, f"有{last.held}件办件因软件版本不同暂存", _TECHNICIAN),
        (waited_s > _UNSENT_LONG_S, f"有{last.unsent}件办件没有送到，最早一件等了{waited}", _TECHNICIAN),
        (last.free_mb is not None and last.free_mb < _DISK_LOW_MB, f"磁盘只剩{last.free_mb}MB", "满了就不能办件，请联系技术员"),
    )
    return tuple(Remark(wrong, to_do) for found, wrong, to_do in checks if found)


def _span(length: dt.timedelta) -> str:
    moment = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    return timesince(moment, moment + length, depth=1).replace("\xa0", "")


def ago(moment: dt.datetime, now: dt.datetime) -> str:
    return f"{_span(now - moment)}前" if now - moment >= dt.timedelta(minutes=1) else "刚刚"
