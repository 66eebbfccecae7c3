"""What the two kinds of officers may do; who belongs to which is set on the desk."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission

_REVIEW = ("view_case", "decide_case", "view_faceenrolment", "decide_faceenrolment", "view_photo", "view_person")
_GROUPS = {
    "操作员": _REVIEW,
    "主管": (
        *_REVIEW, "change_person", "import_person", "withdraw_consent", "view_terminal", "enrol_terminal", "view_envelope",
        "import_bundle", "view_openingfailure", "view_auditentry", "view_backup",
    ),
}


def make_groups() -> None:
    """Makes the groups or gives them what they lack; takes nothing away that was added by hand."""
    for name, codenames in _GROUPS.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.add(*Permission.objects.filter(content_type__app_label="office", codename__in=codenames))
