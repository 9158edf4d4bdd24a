"""Words of the room: actions, shapes of states, sentences of reasons and measures."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dienrong.core.formats import number_text
from dienrong.readiness import judging
from dienrong.readiness.models import Budget, MachineReport, Measure, Mode, Survey

ACTIONS = {
    "readiness.norm_set": _("Norm of readiness set"),
    "readiness.round_opened": _("Survey of facilities opened"),
    "readiness.answered": _("Survey of facilities answered"),
    "readiness.groups_changed": _("Groups of machines changed"),
    "readiness.submitted": _("Survey of facilities submitted"),
    "readiness.checked": _("Survey of facilities checked by the commune"),
    "readiness.accepted": _("Survey of facilities accepted"),
    "readiness.returned": _("Survey of facilities returned"),
    "readiness.loaded": _("Surveys taken from a file"),
    "readiness.load_undone": _("Surveys of a file taken back"),
    "readiness.link_made": _("Link of the machine check made"),
    "readiness.link_closed": _("Link of the machine check closed"),
    "readiness.reported": _("Report of a machine received"),
    "readiness.codes_locked": _("Tries of check codes closed for a while"),
    "readiness.mode_decided": _("Mode of a school decided"),
    "readiness.price_set": _("Unit price set"),
    "readiness.budget_begun": _("Budget estimate begun"),
    "readiness.budget_filled": _("Budget estimate drawn from the registers"),
    "readiness.line_added": _("Line of a budget added"),
    "readiness.line_changed": _("Line of a budget changed"),
    "readiness.line_removed": _("Line of a budget removed"),
    "readiness.budget_moved": _("Budget estimate went a step on"),
}
SURVEY_SHAPES = {
    Survey.State.EMPTY: "not_started",
    Survey.State.DRAFT: "in_progress",
    Survey.State.SUBMITTED: "queued",
    Survey.State.CHECKED: "queued",
    Survey.State.RETURNED: "attention",
    Survey.State.ACCEPTED: "done",
}
MODE_SHAPES = {
    Mode.COMPUTER: "done",
    Mode.MIXED: "in_progress",
    Mode.PAPER: "attention",
    Mode.UNKNOWN: "not_started",
}
VERDICT_SHAPES = {
    MachineReport.Verdict.PASSED: "done",
    MachineReport.Verdict.WARNED: "attention",
    MachineReport.Verdict.FAILED: "failed",
}
BUDGET_SHAPES = {
    Budget.State.DRAFT: "in_progress",
    Budget.State.APPRAISAL: "queued",
    Budget.State.APPRAISED: "queued",
    Budget.State.PROPOSED: "queued",
    Budget.State.APPROVED: "done",
    Budget.State.RETURNED: "attention",
    Budget.State.REPLACED: "cancelled",
}
REASONS = {
    "survey_missing": _("The survey of the school is not submitted yet."),
    "machines_enough": _("Usable machines: %(have)s, needed: %(need)s."),
    "machines_short": _("Usable machines: %(have)s, needed: %(need)s; too few."),
    "checked_enough": _("Machines that passed the check: %(have)s, asked: %(need)s."),
    "checked_short": _(
        "Machines that passed the check: %(have)s, asked: %(need)s; more machines have to open the check page."
    ),
    "power_there": _("Back-up power is there."),
    "power_missing": _("There is no back-up power for the computer room."),
    "server_there": _("A machine for the school server is there."),
    "server_missing": _("There is no machine for the school server."),
    "network_there": _("A line to the Internet is there."),
    "network_missing": _("There is no line to the Internet."),
    "staff_enough": _("People who look after machines: %(have)s, asked: %(need)s."),
    "staff_short": _("People who look after machines: %(have)s, asked: %(need)s; too few."),
    "machines_failed": _("Machines that did not pass the check: %(have)s."),
    "headphones_short": _("Headphones: %(have)s, needed: %(need)s."),
}
UNITS = {
    Measure.SCREEN_WIDTH: "px",
    Measure.SCREEN_HEIGHT: "px",
    Measure.MEMORY: "GB",
    Measure.STORAGE: "MB",
    Measure.CLOCK: "s",
    Measure.LATENCY: "ms",
    Measure.DOWN: "kb/s",
    Measure.UP: "kb/s",
    Measure.LOSS: "%",
}
REMEDIES = {
    Measure.CHROMIUM: _(
        "Install the newest Chrome that the system takes (109 for Windows 7), or Firefox 115 ESR."
    ),
    Measure.FIREFOX: _("Install Firefox 115 ESR or later."),
    Measure.SCREEN_WIDTH: _("Raise the resolution of the screen, or set the zoom of the browser to 100%%."),
    Measure.SCREEN_HEIGHT: _("Raise the resolution of the screen, or set the zoom of the browser to 100%%."),
    Measure.MEMORY: _("Close other programs; with less memory the machine stays for other uses."),
    Measure.STORAGE: _("Free some room on the disk, then check again."),
    Measure.STORAGE_WORKS: _("Do not use a private window; allow the page to keep data."),
    Measure.CLOCK: _("Set date, time and time zone (GMT+7) of the machine."),
    Measure.TYPING: _(
        "Switch Unikey or EVKey on, code table “Unicode” (not “Unicode tổ hợp”, TCVN3 or VNI Windows)."
    ),
    Measure.SOUND: _("Plug the headphones in, raise the volume, then listen again."),
    Measure.AUTOSAVE: _("Do not use a private window; the machine must not wipe its disk at each start."),
    Measure.LATENCY: _(
        "Check the line or ask the provider; the session itself can run without the Internet."
    ),
    Measure.DOWN: _("Check the line or ask the provider; the session itself can run without the Internet."),
    Measure.UP: _("Check the line or ask the provider; the session itself can run without the Internet."),
    Measure.LOSS: _("Check cable and Wi-Fi; sit closer to the access point."),
    Measure.SERVER: _("Switch the school server on and connect this machine to its network."),
}
HIDDEN = _("not told by the browser")


def survey_state(survey: Survey) -> dict[str, str]:
    """Give the state of a survey as shape and word."""
    state = Survey.State(survey.state)
    return {"shape": SURVEY_SHAPES[state], "word": str(state.label)}


def mode_state(mode: str) -> dict[str, str]:
    """Give a mode as shape and word."""
    return {"shape": MODE_SHAPES[Mode(mode)], "word": str(Mode(mode).label)}


def verdict_state(verdict: str) -> dict[str, str]:
    """Give a verdict as shape and word."""
    found = MachineReport.Verdict(verdict)
    return {"shape": VERDICT_SHAPES[found], "word": str(found.label)}


def budget_state(budget: Budget) -> dict[str, str]:
    """Give the state of a budget as shape and word."""
    state = Budget.State(budget.state)
    return {"shape": BUDGET_SHAPES[state], "word": str(state.label)}


def reason_text(reason: judging.Reason) -> str:
    """Write a reason down."""
    return str(REASONS[reason.code]) % {"have": number_text(reason.have), "need": number_text(reason.need)}


def value_text(measure: str, value: Any) -> str:
    """Write a measured value with its unit."""
    if value is None:
        return str(HIDDEN)
    if measure in judging.YES_OR_NO:
        return gettext("works") if value else gettext("does not work")
    digits = 1 if float(value) != int(value) else 0
    return f"{number_text(value, digits)} {UNITS.get(Measure(measure), '')}".strip()


def bound_text(rule: judging.Rule) -> str:
    """Write the bound of a rule: at least, at most, must work."""
    if rule.measure in judging.YES_OR_NO:
        return gettext("works")
    sign = "≤" if rule.measure in judging.AT_MOST else "≥"
    return f"{sign} {value_text(rule.measure, rule.bound)}"


def finding_rows(found: list[judging.Finding]) -> list[dict[str, Any]]:
    """Write findings down for a page: measure, value, bound, state, and what to do where it does not hold."""
    rows = []
    for one in found:
        shape = "done" if one.holds else ("failed" if one.is_failure else "attention")
        word = (
            gettext("holds")
            if one.holds
            else (gettext("not told") if one.holds is None else gettext("does not hold"))
        )
        remedy = "" if one.holds else str(REMEDIES[Measure(one.rule.measure)]).replace("%%", "%")
        rows.append(
            {
                "measure": str(Measure(one.rule.measure).label),
                "value": value_text(one.rule.measure, one.value),
                "bound": bound_text(one.rule),
                "shape": shape,
                "word": word,
                "remedy": remedy,
            }
        )
    return rows
