"""Words for what the audit log records about rosters and the vault."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

ACTIONS = {
    "rosters.students_written": _("Lists of pupils written"),
    "rosters.students_undone": _("Lists of pupils taken back"),
    "rosters.staff_written": _("Lists of staff written"),
    "rosters.staff_undone": _("Lists of staff taken back"),
}
