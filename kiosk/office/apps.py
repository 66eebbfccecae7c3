"""The office as a Django application."""

from __future__ import annotations

from django.apps import AppConfig


class OfficeApp(AppConfig):
    name = "kiosk.office"
    label = "office"
    verbose_name = "待遇资格认证"
    default_auto_field = "django.db.models.BigAutoField"
