"""Words for what the audit log records about rosters and the vault."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

ACTIONS = {
    "rosters.students_written": _("Lists of pupils written"),
    "rosters.students_undone": _("Lists of pupils taken back"),
    "rosters.staff_written": _("Lists of staff written"),
    "rosters.staff_undone": _("Lists of staff taken back"),
    "rosters.place_changed": _("Class or state of a pupil changed"),
    "rosters.names_opened": _("Names opened"),
    "rosters.identity_corrected": _("Identity corrected"),
    "rosters.identity_deleted": _("Identity deleted"),
    "rosters.vault_purged": _("Identities past their time deleted"),
    "rosters.purpose_changed": _("Purpose of processing changed"),
    "rosters.consent_given": _("Consent written down"),
    "rosters.consent_withdrawn": _("Consent withdrawn"),
}
