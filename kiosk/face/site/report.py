"""The report of an evaluation: one HTML file with drawings inside, no picture, no name, no path."""

from __future__ import annotations

import datetime as dt
import html
import platform
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from kiosk.domain.decision import FaceBands
from kiosk.face.site import plots, tables
from kiosk.face.site.evaluation import SMALLEST_CELL, Cell, Evaluation
from kiosk.face.site.folder import Traits
from kiosk.face.site.pairs import MainPairs, Subgroup
from kiosk.face.site.samples import Losses
from kiosk.face.site.statistics import DRAWS
from kiosk.face.still import StillTrouble

_STYLE = """
body { font: 15px/1.5 sans-serif; max-width: 62em; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: .6em 0 1.4em } th, td { border: 1px solid #ccc; padding: .2em .7em; text-align: left }
th { background: #f1f1f1 } .warn { border: 3px solid #b3432b; padding: .6em 1em; font-weight: bold }
svg { max-width: 100%; height: auto }
"""
_RENDERED = (
    "演示数据：这些图片是由软件生成的，不是真人。以下数字不能说明识别准确度。"
    "Rendered data: these pictures were made by software, not taken of people. The figures below say nothing about accuracy."
)
_PAIRS = {
    MainPairs.ALIKE: "同性别、相邻年龄段，亲属除外 / same sex, adjacent age band, relatives apart",
    MainPairs.ALL: "所有人两两比对，已知亲属除外 / everybody with everybody, known relatives apart",
}
_SUBGROUPS = {
    Subgroup.OLD: "70岁以上 / 70 and older", Subgroup.WOMEN: "女 / women", Subgroup.MEN: "男 / men",
    Subgroup.GLASSES: "戴眼镜 / with glasses",
}
_LOST = {
    StillTrouble.NOT_A_PICTURE: "无法读取 / not readable", StillTrouble.NO_FACE: "未找到人脸 / no face found",
    StillTrouble.SEVERAL_FACES: "多张人脸 / several faces",
}
_AT_BANDS = ("FAR @ pass_max", "FRR @ pass_max", "FAR @ review_max", "FRR @ review_max")
_PACKAGES = ("kiosk", "dlib-bin", "opencv-python-headless", "numpy", "scipy")
_BY_HAND = ("摄像头 camera", "分辨率 resolution", "照度 lux", "采集日期 dates of capture", "签字 signed (1)", "签字 signed (2)")


@dataclass(frozen=True, slots=True)
class Header:
    engine: str
    threshold_set: str
    made_on: dt.date
    rendered: bool
    draws: int = DRAWS
    seed: int = 0


def html_report(found: Evaluation, losses: Losses, people: Sequence[Traits], header: Header) -> str:
    sections = [
        _head(found, header), _subjects(people), _losses(losses), _main(found), _comparisons(found), _groups(found),
        _method(found, header),
    ]
    title = "人脸比对评估报告 / Face comparison: evaluation"
    body = "\n".join(sections)
    return (
        f'<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>\n{body}\n</body></html>\n"
    )


def _head(found: Evaluation, header: Header) -> str:
    cohort = found.cohort_bands
    rows = [
        ("日期 date", header.made_on.isoformat()),
        ("引擎 engine", header.engine),
        ("阈值组 threshold set", header.threshold_set),
        ("pass_max / review_max", f"{found.bands.pass_max:g} / {found.bands.review_max:g}"),
        ("S-norm pass_max / review_max", "–" if cohort is None else f"{cohort.pass_max:g} / {cohort.review_max:g}"),
        ("每次比对帧数 frames per try", str(found.frames)),
        ("版本 versions", ", ".join(f"{one} {_version(one)}" for one in _PACKAGES)),
        ("处理器 machine", platform.machine()),
        *((name, "") for name in _BY_HAND),
    ]
    warning = f'<p class="warn">{_RENDERED}</p>' if header.rendered else ""
    return warning + tables.table(("", ""), rows)


def _subjects(people: Sequence[Traits]) -> str:
    kinds: tuple[tuple[str, Callable[[Traits], str]], ...] = (
        ("年龄段 age", lambda one: one.age_band), ("性别 sex", lambda one: one.sex), ("眼镜 glasses", lambda one: one.glasses),
    )
    rows = [("总数 all", "", tables.people(len(people)))]
    for name, trait in kinds:
        counted = Counter(trait(one) or "未知 unknown" for one in people)
        shown = {value: count for value, count in sorted(counted.items()) if count >= SMALLEST_CELL}
        rows += [(name, value, str(count)) for value, count in shown.items()]
        if len(shown) < len(counted):
            rows.append((name, "其他 others", tables.WITHHELD))
    return "<h2>志愿者 / Subjects</h2>" + tables.table(("", "", "人数 people"), rows)


def _losses(losses: Losses) -> str:
    rows = [
        ("图片 pictures", losses.pictures),
        *((name, losses.unusable.get(trouble, 0)) for trouble, name in _LOST.items()),
        ("近似重复，已排除 near-duplicates left out", losses.near_duplicates),
        ("无法采集的人 people who could not be enrolled (FTE)", losses.not_enrolled),
        ("模板不足三个的人 people with fewer than three templates", losses.enrolled_short),
        ("到访次数 visits", losses.visits),
        ("帧数不足的到访 visits without enough frames (FTA)", losses.not_acquired),
    ]
    counts = [(name, str(count)) for name, count in rows]
    return "<h2>无法使用的 / What could not be used</h2>" + tables.table(("", "数量 count"), counts)


def _main(found: Evaluation) -> str:
    cell = found.headline
    count = cell.curve.people
    text = (
        f"<h2>主要结果 / Main figures</h2><p>{cell.templates} 个模板 templates, {_PAIRS[found.pairs]}. "
        f"EER {html.escape(tables.equal_error(cell.curve))}</p>"
        f"{tables.thresholds(cell)}{tables.percentiles(found.genuine, found.impostor, count)}"
    )
    if count < SMALLEST_CELL:
        return text
    lines = [one for one in (*found.by_templates, *found.normalised) if len(one.line[0]) and one.curve.people >= SMALLEST_CELL]
    drawn = (
        ("得分分布 / scores", plots.histogram(found.genuine, found.impostor, found.bands)),
        ("错误率 / error rates", plots.error_rates(cell, found.bands)),
        ("DET", plots.det(lines)),
    )
    return text + "".join(f"<h3>{name}</h3>{drawing}" for name, drawing in drawn)


def _comparisons(found: Evaluation) -> str:
    parts = [_ways("模板数 / Number of templates", found.by_templates, found.bands)]
    if found.normalised:
        title = "S-norm（志愿者互为参照 / the volunteers are each other's cohort）"
        parts.append(_ways(title, found.normalised, found.cohort_bands))
    else:
        parts.append("<h2>S-norm</h2><p>人数不足，无法计算。Too few people for a cohort.</p>")
    if found.by_frames:
        parts.append(_ways("帧数 / Number of frames", found.by_frames, found.bands))
    if found.chip is not None:
        parts.append(_ways("仅芯片照片 / Card photograph only", (found.chip,), found.bands))
    return "".join(parts)


def _ways(title: str, cells: Sequence[Cell], bands: FaceBands | None) -> str:
    """Errors and load of several ways to compare, one below the other."""
    errors, loads = [], []
    for cell in cells:
        name = (str(cell.templates), str(cell.frames), tables.people(cell.curve.people))
        at_bands = [tables.NOTHING] * 4
        if bands is not None:
            at_bands = [*tables.at(cell.curve, bands.pass_max), *tables.at(cell.curve, bands.review_max)]
        errors.append((*name, tables.equal_error(cell.curve), tables.at_far(cell), *at_bands))
        loads += [(*name, str(tries), *tables.shares(loaded, cell.curve.people)) for tries, loaded in cell.load.items()]
    head = ("模板 templates", "帧 frames", "人数 people")
    rates = ("EER", "FRR @ FAR 0.1 %", *_AT_BANDS)
    shares = ("次数 attempts", "通过 accept", "人工审核 review", "未通过 retry")
    text = f"<h2>{html.escape(title)}</h2>" + tables.table((*head, *rates), errors)
    return text + tables.table((*head, *shares), loads) if loads else text


def _groups(found: Evaluation) -> str:
    bands = found.bands
    curves = [("所有人 everybody", found.everybody), *((_SUBGROUPS[one], curve) for one, curve in found.subgroups.items())]
    if found.relatives is not None:
        curves.append(("亲属 relatives", found.relatives))
    rows = [
        (name, tables.people(curve.people), *tables.at(curve, bands.pass_max), *tables.at(curve, bands.review_max))
        for name, curve in curves
    ]
    head = ("", "人数 people", *_AT_BANDS)
    return "<h2>分组 / Groups</h2>" + tables.table(head, rows)


def _method(found: Evaluation, header: Header) -> str:
    how = (
        "模板取自首次采集，比对帧取自以后的到访。Templates are of the first visit, frames of later ones."
        if found.apart else
        "没有分开的到访：每张图片轮流作为模板和比对图片。"
        "There are no separate visits: every picture serves as template and as probe in turn. Pictures of one day are more "
        "alike than those of two; real users will be turned away more often than this."
    )
    return (
        f"<h2>方法 / Method</h2><p>{how}</p>"
        f"<p>[ ]: 95 %, identity bootstrap, {header.draws} draws of people, seed {header.seed}. "
        "C-P: where no error was seen the bootstrap says nothing; Clopper-Pearson 95 % upper bound over people (FRR) or pairs "
        "of people (FAR) instead. Several attempts are taken for independent of each other. The load counts every person the "
        "same.</p>"
        f"<p>{tables.WITHHELD}: 不显示 withheld.</p>"
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "?"
