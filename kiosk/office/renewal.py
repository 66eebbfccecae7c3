"""Whether somebody should be enrolled anew (重新采集), and why, in the officer's words."""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from kiosk.domain.roster import FaceTemplate, TemplateSource, needs_renewal
from kiosk.office.models import Case, Person, PersonTemplate


def why_enrol_again(case: Case, person: Person | None, today: dt.date) -> str:
    """Empty: no need, or nothing is known. By what the person has now, seen with the engine of the newest try."""
    newest = case.attempts.order_by("-position").first()
    if person is None or newest is None:
        return ""
    rows = PersonTemplate.objects.filter(portrait__person=person, portrait__retired=None).select_related("portrait")
    valid = [
        FaceTemplate(one.engine, (), TemplateSource(one.portrait.source), one.portrait.taken_on) for one in rows
    ]
    usable = [template for template in valid if template.engine == newest.engine]
    if len(usable) < settings.OFFICE.templates_min:
        if len(usable) < len(valid):
            return "留存的模板是用另一种比对程序生成的，终端不能使用。"
        return f"终端可用的模板只有 {len(usable)} 个，至少要 {settings.OFFICE.templates_min} 个。"
    months = settings.OFFICE.renew_months
    if needs_renewal(usable, today, months):
        return f"没有一张照片是最近 {months} 个月内拍摄的。"
    return ""
