"""What the pages of the room share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from dienrong.cycles.models import Cycle
from dienrong.cycles.shell import cycle_of_request
from dienrong.standards import queries, words
from dienrong.standards.models import Panelist, StandardSetting

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PDF = "application/pdf"
TABS = ("viec", "chuyen-gia", "ket-qua", "lich-su")


def cycle_or_404(request: HttpRequest) -> Cycle:
    """Give the cycle that is under way."""
    cycle = cycle_of_request(request)
    if cycle is None:
        raise Http404
    return cycle


def setting_or_404(pk: int) -> StandardSetting:
    """Give a session, or nothing at this address."""
    found = queries.setting_by_key(pk)
    if found is None:
        raise Http404
    return found


def panelist_or_404(setting: StandardSetting, number: int) -> Panelist:
    """Give a panelist of a session by number."""
    found = setting.panelists.filter(number=number).first()
    if found is None:
        raise Http404
    found.setting = setting
    return found


def tabs(setting: StandardSetting, current: str) -> list[dict[str, Any]]:
    """Make the tabs of a session."""
    titles = {
        "viec": _("What comes next"),
        "chuyen-gia": _("Panelists"),
        "ket-qua": _("Rounds and cuts"),
        "lich-su": _("What happened"),
    }
    url = reverse("standards:setting", args=[setting.pk])
    return [
        {"title": titles[name], "url": f"{url}?tab={name}", "is_current": name == current} for name in TABS
    ]


def state_of(setting: StandardSetting, n_rounds: int) -> dict[str, str]:
    """Give a session's state as shape and word, with the number of the round where there is one."""
    word = str(setting.get_state_display())
    if setting.state == StandardSetting.State.OPEN:
        word = _("Round %(n)s open") % {"n": n_rounds}
    elif setting.state == StandardSetting.State.DISCUSSION:
        word = _("Round %(n)s closed, discussion") % {"n": n_rounds}
    return {"shape": words.SHAPES[setting.state], "word": word}


def subject_title(setting: StandardSetting, names: Mapping[str, str] | None = None) -> str:
    """Name subject and grade; ``names`` gives the subjects of the cycle where many sessions are shown."""
    if names is None:
        names = subject_names(setting.cycle)
    name = names.get(setting.subject, setting.subject)
    if not setting.grade:
        return name
    return _("%(subject)s, grade %(grade)s") % {"subject": name, "grade": setting.grade}


def subject_names(cycle: Cycle) -> dict[str, str]:
    """Give the names of a cycle's subjects by code."""
    return {one.code: one.name for one in cycle.subjects.all()}


def file(content: bytes, name: str, kind: str) -> HttpResponse:
    """Give bytes as a file to save."""
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
