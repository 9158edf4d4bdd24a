"""Pages of the communication kit and its log."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from dienrong.accounts import directory
from dienrong.accounts.permissions import requires
from dienrong.core import clock
from dienrong.cycles.models import Cycle
from dienrong.cycles.queries import current_cycle, cycle_by_slug
from dienrong.followup.queries.access import own_units
from dienrong.support import access, numeric, operations
from dienrong.support.forms import TellingForm
from dienrong.support.kit_texts import KitText, kit
from dienrong.support.models import Telling
from dienrong.support.operations import TellingFacts
from dienrong.support.views import parts

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def _cycle(request: HttpRequest) -> Cycle:
    """Give the round that the address names, else the newest; not found where there is none."""
    slug = request.GET.get("ky", "")
    found = cycle_by_slug(slug) if slug else current_cycle()
    if found is None:
        raise Http404
    return found


def _unit_name(user: Any) -> str:
    """Name the unit for which a person writes."""
    units = own_units(user)
    with translation.override("vi"):
        ministry = _("Ministry of Education and Training")
    return (directory.name_of(*units[0]) if units and units[0][1] else None) or ministry


def _text(code: str) -> KitText:
    """Give a text of the kit."""
    found = kit().get(code)
    if found is None:
        raise Http404
    return found


@require_safe
@requires("ask_questions")
def kit_page(request: HttpRequest) -> HttpResponse:
    """List the letters and texts."""
    rows = [
        {
            "text": one,
            "audience": Telling.Audience(one.audience).label,
            "channel": Telling.Channel(one.channel).label,
        }
        for one in kit().values()
    ]
    return render(
        request, "support/kit.html", {"tabs": parts.tabs(request), "rows": rows, "cycle": current_cycle()}
    )


@require_safe
@requires("ask_questions")
def text(request: HttpRequest, code: str) -> HttpResponse:
    """Show a text filled for the round and the own unit, to copy."""
    found, cycle = _text(code), _cycle(request)
    context = {"text": found, "cycle": cycle, "body": found.filled(cycle, _unit_name(request.user))}
    return render(request, "support/text.html", context)


@require_safe
@requires("ask_questions")
def word(request: HttpRequest, code: str) -> HttpResponse:
    """Give a text as a Word file."""
    found, cycle = _text(code), _cycle(request)
    unit = _unit_name(request.user)
    content = numeric.letter(
        title=found.title_vi, body=found.filled(cycle, unit), agency=unit, authority=unit.upper()
    )
    response = HttpResponse(content, content_type=WORD)
    response["Content-Disposition"] = f'attachment; filename="{found.code}.docx"'
    return response


@require_safe
@requires("ask_questions")
def log(request: HttpRequest) -> HttpResponse:
    """List what the own unit and those below told, with sums by way."""
    rows = access.tellings_of(request.user)
    sums = (
        rows.order_by()
        .values("channel")
        .annotate(n=Count("pk"), n_reached=Sum("n_reached"))
        .order_by("channel")
    )
    context = {
        "tabs": parts.tabs(request),
        "page": (page := parts.page_of(request, rows)),
        "rows": page.object_list,
        "sums": [{**one, "title": Telling.Channel(one["channel"]).label} for one in sums],
    }
    return render(request, "support/log.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("ask_questions")
def add(request: HttpRequest) -> HttpResponse:
    """Write down what was told."""
    form = TellingForm(request.POST or None, initial={"on_day": clock.today()})
    if request.method == "POST" and form.is_valid():
        facts = TellingFacts(**form.cleaned_data)
        if parts.tried(form, lambda: operations.write_telling(facts=facts, by=request.user)):
            messages.success(request, _("Written down."))
            return redirect("support:log")
    return parts.form_page(
        request, form, title=_("Write down what was told"), button=_("Save"), back=reverse("support:log")
    )
