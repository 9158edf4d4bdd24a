"""What the audited actions of this room are called on pages."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

WORDS = {
    "imports.received": _("A file of data was sent in"),
    "imports.previewed": _("A file of data was compared with what is kept"),
    "imports.accepted": _("A file of data was accepted"),
    "imports.undone": _("An accepted file of data was taken back"),
    "imports.cancelled": _("A file of data was set aside"),
    "imports.exported": _("Data were downloaded in the layout of a template"),
    "imports.purged": _("Files of data were deleted after their time"),
}
