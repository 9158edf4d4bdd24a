"""Words of the room: actions of the log, states as shapes."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

ACTIONS = {
    "datasets.frozen": _("Data frozen"),
    "datasets.release_made": _("Data files asked for"),
    "datasets.release_built": _("Data files built"),
    "datasets.release_failed": _("Data files refused by the plan"),
    "datasets.release_approved": _("Data files approved"),
    "datasets.release_returned": _("Data files sent back"),
    "datasets.release_published": _("Data files published"),
    "datasets.release_withdrawn": _("Data files withdrawn"),
    "datasets.requested": _("Restricted data requested"),
    "datasets.granted": _("Request for data granted"),
    "datasets.refused": _("Request for data refused"),
    "datasets.renewed": _("Personal link renewed"),
    "datasets.revoked": _("Personal link revoked"),
    "datasets.downloaded": _("Restricted data downloaded"),
    "datasets.destroyed": _("Destruction of data confirmed"),
}
SHAPES = {
    "building": "running", "failed": "failed", "built": "attention", "returned": "attention", "approved": "in_progress",
    "published": "done", "withdrawn": "cancelled", "waiting": "attention", "granted": "done", "refused": "cancelled",
    "open": "done", "used": "cancelled", "expired": "cancelled", "revoked": "cancelled", "destroyed": "done",
}  # fmt: skip
GRANT_WORDS = {
    "open": _("Link open"),
    "used": _("All downloads used"),
    "expired": _("Link expired"),
    "revoked": _("Link revoked"),
    "destroyed": _("Destruction confirmed"),
}
STEP_WORDS = {
    "drop": _("Leave variables out"),
    "free_text": _("Leave out free text"),
    "recode": _("Join categories of a variable"),
    "band": _("Put in classes"),
    "top_bottom": _("Limit extreme values"),
    "round": _("Round the numbers"),
    "merge": _("Merge small cells"),
    "coarsen": _("Show the wider area alone"),
    "suppress": _("Hide values of small cells"),
    "swap": _("Swap records at risk"),
}
STAGE_WORDS = {
    "read": _("Reading the frozen data"),
    "protect": _("Disclosure control"),
    "table": _("Computing the table of proof"),
    "write": _("Writing the files"),
    "archive": _("Packing the archive"),
}
