"""Words of the room: actions of the audit log, shapes of states, what a round leaves to talk about."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

EVENTS = {
    "opened": _("Standard-setting session opened"),
    "items_described": _("Items described"),
    "panelist_added": _("Panelist added"),
    "panelist_removed": _("Panelist removed"),
    "panelist_entered": _("Panelist came in by link and PIN"),
    "pin_locked": _("Link locked after wrong PINs"),
    "link_revoked": _("Link of a panelist revoked"),
    "link_renewed": _("New link for a panelist"),
    "slips_printed": _("Slips with links and PINs printed"),
    "round_opened": _("Round opened"),
    "round_closed": _("Round closed"),
    "entry_submitted": _("Form submitted by a panelist"),
    "entry_typed_in": _("Paper form typed in"),
    "entry_taken_back": _("Submitted form taken back"),
    "cuts_computed": _("Cuts computed"),
    "adopted": _("Cuts adopted"),
    "withdrawn": _("Session withdrawn"),
}
ACTIONS = {f"standards.{kind}": word for kind, word in EVENTS.items()}
SHAPES = {
    "preparation": "not_started",
    "open": "in_progress",
    "discussion": "in_progress",
    "final": "attention",
    "adopted": "done",
    "withdrawn": "cancelled",
}
LINK_WORDS = {"open": _("Link open"), "revoked": _("Revoked"), "expired": _("Past its day")}
LINK_SHAPES = {"open": "done", "revoked": "cancelled", "expired": "cancelled"}
FORM_WORDS = {"done": _("Submitted"), "in_progress": _("Draft"), "not_started": _("Not begun")}
REFUSED_WORDS = {
    "outside": _("The ratings lie at the lowest or highest score: no ability has this expected score."),
    "other": _("No cut can be computed from these entries."),
}
