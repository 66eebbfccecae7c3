"""The liveness report in the officer's words. Codes of a newer terminal are shown as they came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kiosk.domain.liveness import Check, CheckOutcome, Profile
from kiosk.office.models import FaceAttempt, FaceEnrolment

CHECKS: dict[str, str] = {
    Check.BLINK: "眨眼",
    Check.TURN_LEFT: "向左转头",
    Check.TURN_RIGHT: "向右转头",
    Check.OPEN_MOUTH: "张嘴",
    Check.SAME_FACE: "同一人",
    Check.FRESH: "画面新鲜",
    Check.BORDER: "边框",
    Check.DEPTH: "立体感",
    Check.FLASH: "屏幕闪光",
    Check.INFRARED: "红外",
    Check.RELIEF: "双目立体",
}
_EXPLAINED: dict[str, str] = {
    Check.SAME_FACE: "全程是同一张脸，没有中途换人",
    Check.FRESH: "没有重复或静止的画面",
    Check.BORDER: "脸的四周没有照片或屏幕的直边",
    Check.DEPTH: "转头时鼻子的移动与真人相符",
    Check.FLASH: "脸上映出了屏幕颜色的变化",
    Check.INFRARED: "红外画面中也有这张脸",
    Check.RELIEF: "两个镜头看到的脸有凹凸",
}
REASONS: dict[str, str] = {
    "another_face": "出现了另一张脸",
    "dark": "红外画面太暗",
    "flat": "是平的",
    "frozen": "画面静止不动",
    "loop": "画面循环播放",
    "narrow": "转头时脸变窄得像纸，不像头",
    "no_face_ir": "红外画面中没有脸",
    "no_number": "算不出差异值",
    "no_response": "脸上没有颜色变化",
    "not_3d": "转动时不像立体的脸",
    "not_aligned": "红外与彩色画面对不上",
    "not_finished": "没有做完",
    "not_seen": "没有看到",
    "repeated": "同一画面出现两次",
    "straight_border": "脸的四周有直边",
    "time": "画面的时间倒退",
    "too_bright": "光线太强",
    "too_few": "画面太少",
    "wrong_colours": "颜色的次序不符",
}
OUTCOMES: dict[str, str] = {
    CheckOutcome.PASSED: "通过",
    CheckOutcome.FAILED: "未通过",
    CheckOutcome.UNCLEAR: "看不清",
    CheckOutcome.NOT_DONE: "未做",
}
PROFILES: dict[str, str] = {
    Profile.PAPER: "自助：左右转头加一个动作",
    Profile.INFRARED: "红外双目：一个动作",
    Profile.GENTLE: "简易：不转头，由人工审核",
    Profile.ATTENDED: "工作人员在场：一个动作",
}


@dataclass(frozen=True)
class CheckShown:
    name: str
    explained: str
    outcome: str
    """Code, for the colour."""
    word: str
    figures: str
    """Value and limit; empty: there are none."""
    reason: str


@dataclass(frozen=True)
class ReportShown:
    profile: str
    order: str
    """Actions as asked for."""
    checks: list[CheckShown]
    """Empty: the terminal kept no report."""


def shown(report: FaceAttempt | FaceEnrolment) -> ReportShown:
    told = {str(one["check"]): one for one in report.checks}
    codes = [*CHECKS, *(code for code in told if code not in CHECKS)] if told else []
    order = "、".join(CHECKS.get(code, code) for code in report.order)
    checks = [_check(code, told.get(code, {})) for code in codes]
    return ReportShown(PROFILES.get(report.profile, report.profile), order, checks)


def _check(code: str, told: Mapping[str, Any]) -> CheckShown:
    outcome = str(told.get("outcome", CheckOutcome.NOT_DONE.value))
    value, limit = told.get("value"), told.get("limit")
    figures = "" if value is None else " / ".join(f"{one:.3g}" for one in (value, limit) if one is not None)
    reason = str(told.get("reason", ""))
    return CheckShown(
        CHECKS.get(code, code), _EXPLAINED.get(code, ""), outcome, OUTCOMES.get(outcome, outcome), figures,
        REASONS.get(reason, reason),
    )
