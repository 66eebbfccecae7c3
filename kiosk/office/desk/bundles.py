"""U盘: what a terminal exported is taken in, and the file for its way back is handed out."""

from __future__ import annotations

import tempfile

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST

from kiosk.office.models import Envelope, Terminal, TerminalKey
from kiosk.office.usb import export_bundle, import_bundle

_REFUSED = {
    "device": "终端未接入或已停用", "conflict": "同一标识内容不同", "seq": "序号重复，终端可能被复制", "clone": "终端可能被复制",
    "invalid": "内容无效", "unreadable": "不是办件",
}
_TROUBLE = {
    "not_a_bundle": "这不是终端导出的文件。", "of_the_office": "这是本所给终端的文件，请拿到终端上导入。",
    "busy": "本所磁盘将满或数据库忙，没有全部导入。请处理后把同一个文件再导入一次。",
}


class BundleForm(forms.Form):
    file = forms.FileField(label="终端导出的文件（.kiosk）")


class BackForm(forms.Form):
    terminal = forms.ModelChoiceField(Terminal.objects.all(), label="终端")


@csrf_exempt
def page(request: HttpRequest) -> HttpResponse:
    """Bundles may be large and hold only what is sealed: they may lie in a temporary file."""
    request.upload_handlers = [TemporaryFileUploadHandler(request)]
    return _page(request)


@csrf_protect
def _page(request: HttpRequest) -> HttpResponse:
    _need(request)
    form = BundleForm(request.POST or None, request.FILES or None)
    report = None
    if request.method == "POST" and form.is_valid():
        report = import_bundle(form.cleaned_data["file"], request.user.get_username())
    context = admin.site.each_context(request) | {
        "title": "导入U盘", "opts": Envelope._meta, "form": form, "report": report,
        "back": BackForm(initial={"terminal": report.terminal if report else None}),
        "trouble": _TROUBLE.get(report.trouble, report.trouble) if report else "",
        "refused": [(_REFUSED.get(code, code), count) for code, count in report.refused.items()] if report else [],
    }
    return TemplateResponse(request, "office/bundle.html", context)


@require_POST
def back(request: HttpRequest) -> HttpResponseBase:
    """The file for one terminal: sealed to it and signed."""
    _need(request)
    form = BackForm(request.POST)
    key = TerminalKey.objects.filter(terminal=form.cleaned_data["terminal"]).first() if form.is_valid() else None
    if key is None or key.revoked is not None:
        return HttpResponse("这台终端没有接入。", status=409, content_type="text/plain; charset=utf-8")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - FileResponse closes it
    export_bundle(key.terminal_id, file, request.user.get_username())
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{key.terminal_id}-office.kiosk")


def _need(request: HttpRequest) -> None:
    officer = request.user
    if not officer.is_authenticated or not officer.has_perm("office.import_bundle"):
        raise PermissionDenied
