"""Words of the room: actions, states."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

ACTIONS = {
    "plans.phases_loaded": _("Phases loaded"),
    "plans.document_loaded": _("Plan document loaded"),
    "plans.target_added": _("Target added"),
    "plans.target_withdrawn": _("Target withdrawn"),
    "plans.reading_set": _("Reading of an indicator set"),
    "plans.snapshot_taken": _("Snapshot of values taken"),
    "plans.report_called": _("Report asked for"),
    "plans.report_begun": _("Report begun"),
    "plans.text_saved": _("Words of a report saved"),
    "plans.head_changed": _("Head of reports changed"),
    "plans.report_sent": _("Report sent"),
    "plans.report_reopened": _("Report opened for correction"),
    "plans.signed_copy_kept": _("Signed copy kept"),
    "plans.reminded": _("Province reminded of a report"),
    "plans.people_looked_at": _("People behind a value looked at"),
}
STAND_WORDS = {
    "reached": pgettext_lazy("target", "Reached"),
    "on_the_way": pgettext_lazy("target", "On the way"),
    "behind": pgettext_lazy("target", "Not reached yet"),
    "unknown": pgettext_lazy("target", "Not assessed"),
}
STAND_SHAPES = {
    "reached": "done",
    "on_the_way": "in_progress",
    "behind": "attention",
    "unknown": "not_started",
}
REPORT_SHAPES = {"draft": "in_progress", "sent": "done", "correcting": "attention", "": "not_started"}
SIDES = {
    "trained_only": _("Trained, not certified"),
    "certified_twice": _("Certified twice or more"),
    "revoked": _("With a revoked one"),
    "listed_beyond": _("Listed, not in the register"),
    "undecided": _("Awaiting a decision"),
    "replaced": _("Replaced by another school"),
    "open": _("Still open"),
    "out": _("Did not take part"),
}
TURN_WORDS = {
    "full": _("Took part fully"),
    "replaced": _("Replaced by another school"),
    "open": _("Still open"),
    "out": _("Did not take part"),
}
