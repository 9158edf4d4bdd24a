"""The door through which the web server enters."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dienrong.settings")
application = get_wsgi_application()
