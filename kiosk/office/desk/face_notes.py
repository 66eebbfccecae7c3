"""人脸比对说明: what the machine can tell and what it cannot, with the figures that were measured."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from kiosk.office.face_figures import load_figures


def face_notes(request: HttpRequest) -> HttpResponse:
    context = admin.site.each_context(request) | {"title": "人脸比对说明", "figures": load_figures()}
    return TemplateResponse(request, "office/face_notes.html", context)
