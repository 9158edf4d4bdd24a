"""What the audited actions of this room are called on pages."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

WORDS = {
    "jobs.enqueued": _("Background work requested"),
    "jobs.cancel_requested": _("Background work asked to stop"),
    "jobs.cancelled": _("Background work cancelled"),
    "jobs.run_again": _("Background work requested again"),
}
