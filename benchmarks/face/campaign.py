"""Rendered tries by the hundred: which attacks get through, which living people do not.

    python benchmarks/face/campaign.py [--living N] [--attacked N] [--jobs N] [--tell-the-office]

Takes about an hour on two cores. Cut short, it goes on where it stopped (build/face/trials.jsonl; remove the file to
begin anew, for example after a change of the rules). Species are reported one by one and never averaged
(ISO/IEC 30107-3): APCER is the share of attacks whose liveness passed, BPCER that of living people whose did not.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scipy.stats import beta
from trial import ALL_ASKED, ASKED_FOR_LESS, LIVE, STIFF_PERSON, USUAL, Trial, run

from kiosk.config import REPOSITORY
from kiosk.devices.emulated.attacks import Species
from kiosk.devices.emulated.light import Light

_FOLDER = REPOSITORY / "build" / "face"
_TRIALS = _FOLDER / "trials.jsonl"
_FIGURES = REPOSITORY / "kiosk" / "office" / "face_figures.json"
_NAMES = {
    "live": "会转头的本人", "stiff": "不能转头的本人", "still": "照片不动", "tilted": "照片左右倾斜", "waved": "手拿照片晃动",
    "bent": "弯曲的照片", "wrapped": "裹在脸上的照片", "cut_eyes": "挖眼照片", "cut_eyes_bent": "弯曲的挖眼照片",
    "print": "带白边的照片", "screen": "手机屏幕",
}
_WAYS = {
    USUAL: "标准做法：左右转头，加眨眼或张嘴",
    ALL_ASKED: "严格做法：左右转头，加眨眼和张嘴",
    ASKED_FOR_LESS: "简单做法：只眨眼或张嘴（结果一律由工作人员审核）",
}
_HARDEST = (Species.BENT, Species.WRAPPED, Species.CUT_EYES, Species.CUT_EYES_BENT)
"""What is tried against everything at once."""


def trials(living: int, attacked: int) -> Iterator[Trial]:
    """Every unseen person under every light, both sides first, alive and attacked; whoever cannot turn is asked for less."""
    for person in range(max(living, attacked)):
        alive = (LIVE,) if person < living else ()
        stiff = (STIFF_PERSON,) if person < living else ()
        attacks = tuple(Species) if person < attacked else ()
        for light in Light:
            for left_first in (True, False):
                for what in (*alive, *attacks):
                    yield Trial(person, what, light.value, left_first, USUAL)
                for what in (*alive, *(one for one in attacks if one in _HARDEST)):
                    yield Trial(person, what, light.value, left_first, ALL_ASKED)
            for what in (*stiff, *attacks):
                yield Trial(person, what, light.value, True, ASKED_FOR_LESS)


def main() -> int:
    options = _options()
    _FOLDER.mkdir(parents=True, exist_ok=True)
    done = _done()
    wanted = {one.key: one for one in trials(options.living, options.attacked)}
    left = [one for key, one in wanted.items() if key not in done]
    print(f"{len(done)} tries are done, {len(left)} to go", file=sys.stderr)
    spawn = multiprocessing.get_context("spawn")
    with _TRIALS.open("a", encoding="utf-8") as log, spawn.Pool(options.jobs, _quietly) as pool:
        for number, told in enumerate(pool.imap_unordered(run, left, chunksize=1), start=1):
            print(json.dumps(told, ensure_ascii=False), file=log, flush=True)
            print(f"\r{number}/{len(left)}", end="", file=sys.stderr)
    told = [one for one in _done().values() if one["key"] in wanted]
    groups = summary(told)
    (_FOLDER / "summary.json").write_text(json.dumps(groups, ensure_ascii=False, indent=2), encoding="utf-8")
    print(table(groups))
    if options.tell_the_office:
        _tell_the_office(groups, options.living, options.attacked)
    return 0


def summary(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Per way and kind: how many, how many went wrong, the upper 95 % bound; then the same by light and by side."""
    rows = []
    for way in _WAYS:
        for what in (LIVE, STIFF_PERSON, *map(str, Species)):
            of = [one for one in told if (one["way"], one["what"]) == (way, what)]
            if not of:
                continue
            rows.append({"way": way, "what": what, **_wrong(of)} | {
                "by_light": {light.value: _wrong([one for one in of if one["light"] == light.value]) for light in Light},
                "left_first": _wrong([one for one in of if one["left_first"]]),
                "right_first": _wrong([one for one in of if not one["left_first"]]),
                "outcomes": _count(one["outcome"] for one in of),
                "median_s": sorted(one["seconds"] for one in of)[len(of) // 2],
                "stopped_by": _count(
                    f"{check} {word}".rstrip(":") for one in of for check, word in one["checks"].items()
                    if not word.startswith(("passed", "not_done"))
                ),
            })
    return rows


def _wrong(of: list[dict[str, Any]]) -> dict[str, Any]:
    """An attack that was taken for alive, a living person who was not."""
    alive = bool(of) and of[0]["what"] in (LIVE, STIFF_PERSON)
    wrong = sum((one["verdict"] == "passed") is not alive for one in of)
    upper = 1.0 if wrong == len(of) else float(beta.ppf(0.975 if wrong else 0.95, wrong + 1, len(of) - wrong))
    return {"trials": len(of), "wrong": wrong, "upper": round(upper, 4)}


def table(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'way':8} {'what':14} {'tries':>5} {'wrong':>5} {'share':>7} {'<=95%':>7} {'s':>5}  outcomes"]
    for row in rows:
        share = 100 * row["wrong"] / row["trials"]
        lines.append(
            f"{row['way']:8} {row['what']:14} {row['trials']:5} {row['wrong']:5} {share:6.1f}% {100 * row['upper']:6.1f}% "
            f"{row['median_s']:5.1f}  {row['outcomes']}  {row['stopped_by']}"
        )
    return "\n".join(lines)


def _tell_the_office(rows: list[dict[str, Any]], living: int, attacked: int) -> None:
    """Rewrites what the desk's page shows; the part about recognition stays."""
    figures = json.loads(_FIGURES.read_text(encoding="utf-8"))
    figures["measured_on"] = dt.date.today().isoformat()
    figures["conditions"] = [
        f"全部是用软件由照片生成的画面：本人{living}个，被冒用的{attacked}个，都是生成的人；"
        "三种光线（均匀、侧光、昏暗），先左转和先右转各一半，带摄像头噪点。",
        "没有用真人、真摄像头、真照片测过；现场的数字会不同。",
        "五官定位不稳、连识别程序自己都认不稳的生成人脸没有参加测试（大多戴眼镜）。",
        "“上限”是95%置信上限（Clopper-Pearson）。各种冒用方式分开报告，不取平均。",
    ]
    figures["runs"] = [
        {
            "name": name,
            "attacks": [_office_row(row) for row in rows if row["way"] == way and row["what"] in set(Species)],
            "living": [_office_row(row) for row in rows if row["way"] == way and row["what"] not in set(Species)],
        }
        for way, name in _WAYS.items()
    ]
    _FIGURES.write_text(json.dumps(figures, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _office_row(row: dict[str, Any]) -> dict[str, Any]:
    return {"name": _NAMES[row["what"]], "trials": row["trials"], "wrong": row["wrong"], "upper": row["upper"]}


def _done() -> dict[str, dict[str, Any]]:
    """A line torn by a power cut is done again."""
    done = {}
    for line in _TRIALS.read_text(encoding="utf-8").splitlines() if _TRIALS.exists() else ():
        try:
            one = json.loads(line)
        except json.JSONDecodeError:
            continue
        done[one["key"]] = one
    return done


def _count(words: Any) -> dict[str, int]:
    counted: dict[str, int] = {}
    for word in words:
        counted[word] = counted.get(word, 0) + 1
    return dict(sorted(counted.items(), key=lambda item: -item[1]))


def _quietly() -> None:
    import cv2

    os.nice(5)
    cv2.setNumThreads(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--living", type=int, default=12, help="unseen rendered people who act themselves")
    parser.add_argument("--attacked", type=int, default=6, help="how many of them are attacked")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--tell-the-office", action="store_true", help="write the figures to the desk's page")
    return parser.parse_args()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    raise SystemExit(main())
