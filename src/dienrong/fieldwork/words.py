"""Words of the room: actions, states, what a school owes."""

from __future__ import annotations

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from dienrong.fieldwork import numeric

EVENTS = {
    "notified": _("Letter sent"),
    "called": _("Called"),
    "confirmed": _("School takes part"),
    "declined": _("School does not take part"),
    "reopened": _("School takes part after all"),
    "replaced": _("Replacement called on"),
    "called_on": _("Called on as a replacement"),
    "marked": _("School closed or merged"),
    "unmarked": _("School is open again"),
    "settled": _("Decided about the closed or merged school"),
    "listed": _("List sent in"),
    "selected": _("People selected"),
    "person_coded": _("Code given to a person"),
    "session_planned": _("Session planned"),
    "session_cancelled": _("Session cancelled"),
    "session_reported": _("Session reported"),
    "incident": _("Incident"),
    "incident_settled": _("Incident settled"),
    "visited": _("Visit of a quality monitor"),
    "concluded": _("School concluded"),
    "printed": _("Forms printed"),
}
ACTIONS = {
    "fieldwork.started": _("Fieldwork started"),
    "fieldwork.weights_computed": _("Weights computed"),
    **{f"fieldwork.{kind}": word for kind, word in EVENTS.items()},
}
SHAPES = {
    "to_notify": "not_started",
    "notified": "queued",
    "confirmed": "in_progress",
    "listed": "in_progress",
    "selected": "in_progress",
    "tested": "done",
    "closed": "done",
    "not_taking_part": "cancelled",
}
OWES = {
    "attention": _("The school closed or merged: decide"),
    "answer": _("No answer yet"),
    "list": _("No list yet"),
    "session": _("No session planned"),
    "report": _("No session report"),
}
COLUMNS = {
    "sampled": _("Sampled"),
    "called": _("Replacements called on"),
    "confirmed": _("Confirmed"),
    "listed": _("List sent in"),
    "selected": _("People selected"),
    "tested": _("Tested"),
    "declined": _("Not taking part"),
    "attention": _("To be decided"),
}
PEOPLE = {
    "selected": _("Selected"),
    "respondent": _("Responded"),
    "nonrespondent": _("Absent"),
    "excluded": _("Excluded"),
    "ineligible": _("Ineligible"),
    "open": _("Open"),
}
ZONES = {
    "acceptable": _("acceptable"),
    "acceptable_with_replacements": _("acceptable with replacements"),
    "intermediate": _("intermediate: a bias analysis is due"),
    "not_acceptable": _("not acceptable"),
}
RATES = {
    "school_before": _("Schools before replacement"),
    "school_after": _("Schools after replacement"),
    "class": _("Selected classes"),
    "student": _("Students"),
}


def code_text(one: numeric.Code) -> str:
    """Write a code with its meaning in the reader's language."""
    meaning = one.meaning_vi if (get_language() or "vi").startswith("vi") else one.meaning_en
    return f"{one.code} · {meaning}"


def code_choices(rules: str, unit: str, codes: tuple[int, ...] | None = None) -> list[tuple[int, str]]:
    """Give codes for a choice, all or some of them."""
    return [
        (one.code, code_text(one)) for one in numeric.codes(rules, unit) if codes is None or one.code in codes
    ]


def code_word(rules: str, unit: str, code: int | None) -> str:
    """Write one code with its meaning; a dash where there is none."""
    found = next((one for one in numeric.codes(rules, unit) if one.code == code), None)
    return code_text(found) if found else "–"
