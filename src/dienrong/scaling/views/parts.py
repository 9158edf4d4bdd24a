"""What the pages of the room share: finding the study and the run of an address, tabs, files."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from dienrong.core.refusals import Conflict
from dienrong.cycles.models import Cycle
from dienrong.cycles.shell import cycle_of_request
from dienrong.scaling import queries
from dienrong.scaling.addresses import address
from dienrong.scaling.models import ScalingRun, ScalingStudy

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SECTIONS = ("calibration", "fit", "dif", "maps", "link", "population", "values")


def cycle_of(request: HttpRequest) -> Cycle:
    """Give the cycle of the address."""
    cycle = cycle_of_request(request)
    if cycle is None:
        raise Http404
    return cycle


def study_of(request: HttpRequest, number: int) -> ScalingStudy:
    """Give the study of the address."""
    found = queries.study_of(cycle_of(request), number)
    if found is None:
        raise Http404
    return found


def run_of(study: ScalingStudy, number: int) -> ScalingRun:
    """Give the run of the address."""
    found = queries.run_of(study, number)
    if found is None:
        raise Http404
    return found


def done_run_of(study: ScalingStudy, number: int) -> ScalingRun:
    """Give the run of the address, whose results are asked for.

    Raises
    ------
    Conflict
        If it is not done.
    """
    found = run_of(study, number)
    if found.state != ScalingRun.State.DONE:
        raise Conflict(
            _("Run %(number)d has no results: it is “%(state)s”.")
            % {"number": found.number, "state": found.get_state_display()},
            hint=_("Wait until it is done, or choose another run."),
        )
    return found


def tabs(request: HttpRequest, study: ScalingStudy) -> list[dict[str, Any]]:
    """Make the tabs of a study."""
    titles = {
        "study": (_("Overview"), ("study",)),
        "data": (_("Data"), ("data", "columns", "preview", "take_run", "send_files")),
        "items": (_("Items"), ("items", "item", "decide")),
        "runs": (_("Runs and results"), ("runs", "run_new", "run", "section", "table", "compare")),
        "history": (_("What happened"), ("history",)),
    }
    current = request.resolver_match.url_name if request.resolver_match else ""
    return [
        {"title": title, "url": address(name, study), "is_current": current in own}
        for name, (title, own) in titles.items()
    ]


def section_titles() -> dict[str, str]:
    """Name the pages of results."""
    return {
        "calibration": _("Calibration"),
        "fit": _("Fit"),
        "dif": _("DIF"),
        "maps": _("Item map and information"),
        "link": _("Link between studies"),
        "population": _("Population model"),
        "values": _("Plausible values"),
    }


STAGE_OF_SECTION = {
    "calibration": "calibration",
    "fit": "fit",
    "dif": "dif",
    "maps": "fit",
    "link": "link",
    "population": "population",
    "values": "values",
}


def result_tabs(run: ScalingRun, current: str = "") -> list[dict[str, Any]]:
    """Make the tabs of a run's results: only of the stages that it has."""
    stages = set(queries.manifests_of(run))
    study = run.study
    found = [
        {
            "title": _("Scaling run %(number)d") % {"number": run.number},
            "url": address("run", study, run.number),
            "is_current": not current,
        }
    ]
    if "classical" in stages:
        found.append(
            {"title": _("Items"), "url": f"{address('items', study)}?run={run.number}", "is_current": False}
        )
    for name, title in section_titles().items():
        if STAGE_OF_SECTION[name] in stages:
            found.append(
                {
                    "title": title,
                    "url": address("section", study, run.number, name),
                    "is_current": name == current,
                }
            )
    return found


def file(content: bytes, name: str, kind: str = EXCEL) -> HttpResponse:
    """Give bytes as a file to save."""
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
