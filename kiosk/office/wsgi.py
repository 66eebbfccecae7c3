"""WSGI entry: `kiosk.office.wsgi:application`."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from kiosk.office.bootstrap import SETTINGS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
application = get_wsgi_application()
