"""The panelist's own pages: the door with its PIN, the form, feedback between rounds. Nobody signs in here.

Who came in stays known in this browser for three hours of work or until “Leave”; the link is asked again at each step.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dienrong.core import clock
from dienrong.core.formats import moment_text, number_text
from dienrong.core.refusals import Refusal
from dienrong.core.typed_numbers import typed_number
from dienrong.standards import operations, outputs, queries
from dienrong.standards.forms import PinForm
from dienrong.standards.models import Entry, Panelist, StandardSetting

KEPT = "standards.panelist"
SECONDS_KEPT = 3 * 3600
MARK = "|"
State = StandardSetting.State


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def door(request: HttpRequest, code: str) -> HttpResponse:
    """Ask for the PIN of a link and let the panelist in."""
    panelist = operations.panelist_of_code(code)
    form = PinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            panelist = operations.enter(code=code, pin=form.cleaned_data["pin"])
        except (operations.StandardRefusal, operations.NotNow) as refusal:
            form.add_error("pin", str(refusal))
        else:
            request.session.cycle_key()
            _keep(request, panelist)
            return redirect("standards:form")
    context = {"panelist": panelist, "setting": panelist.setting, "form": form}
    # Referrer-Policy stays "same-origin": "no-referrer" would make browsers send "Origin: null", which forms refuse.
    return render(request, "standards/door.html", context, status=422 if form.errors else 200)


def _keep(request: HttpRequest, panelist: Panelist) -> None:
    """Keep who came in, for three hours from now."""
    request.session[KEPT] = {
        "key": panelist.pk,
        "version": panelist.link_version,
        "until": clock.now().timestamp() + SECONDS_KEPT,
    }


def _panelist(request: HttpRequest) -> Panelist:
    """Give who came in with this browser; the link must still be open.

    Raises
    ------
    LinkClosed
        If nobody came in, the time is over, or the link was revoked, renewed or is past its day.
    """
    kept = request.session.get(KEPT) or {}
    found = None
    if kept and kept["until"] > clock.now().timestamp():
        found = Panelist.objects.select_related("setting__cycle").filter(pk=kept["key"]).first()
    if found is None or found.link_version != kept["version"]:
        request.session.pop(KEPT, None)
        raise operations.LinkClosed(
            _("Nobody has come in with this browser, or the time is over."),
            hint=_("Open the link of your slip and type the PIN again; what was saved is still there."),
        )
    operations.demand_open_link(found)
    _keep(request, found)
    return found


@never_cache
@require_GET
def form(request: HttpRequest) -> HttpResponse:
    """Show what the panelist does now: fill in, wait, talk, or nothing more."""
    panelist = _panelist(request)
    return _form_page(request, panelist)


def _form_page(
    request: HttpRequest,
    panelist: Panelist,
    *,
    typed: dict[tuple[str, str], str] | None = None,
    refusal_text: str = "",
) -> HttpResponse:
    """Draw the page of a panelist."""
    setting = panelist.setting
    open_round = queries.open_round_of(setting)
    entry = queries.entry_of(open_round, panelist) if open_round else None
    last = queries.last_closed(setting)
    context = {
        "panelist": panelist,
        "setting": setting,
        "round": open_round,
        "entry": entry,
        "last_round": last,
        "levels": queries.levels_of(setting),
        "refusal_text": refusal_text,
        "is_submitted": entry is not None and entry.submitted_at is not None,
    }
    if open_round is not None:
        context |= fields_of(setting, entry, typed)
    return render(request, "standards/form.html", context, status=422 if refusal_text else 200)


def fields_of(
    setting: StandardSetting, entry: Entry | None, typed: dict[tuple[str, str], str] | None = None
) -> dict[str, Any]:
    """Give the fields of a form: rows of items with a cell a level, or a cell a level and the pages of the booklet."""
    levels = queries.levels_of(setting)
    values = queries.values_of(entry)

    def cell(level: Any, item: str) -> dict[str, Any]:
        value = values.get((level.code, item))
        text = typed_number(value) if value is not None else ""
        if typed is not None:
            text = typed.get((level.code, item), text)
        return {"name": f"{level.code}{MARK}{item}", "level": level, "text": text, "value": value}

    n_wanted = queries.n_wanted(setting)
    context: dict[str, Any] = {"n_given": len(values), "n_wanted": n_wanted, "levels": levels}
    if setting.is_bookmark:
        marks = {int(values[level.code, ""]): level for level in levels if (level.code, "") in values}
        context["cells"] = [cell(level, "") for level in levels]
        context["pages"] = [{**row, "mark": marks.get(row["page"])} for row in outputs.booklet_rows(setting)]
        context["n_pages"] = len(context["pages"])
    else:
        notes = queries.notes_of(setting)
        context["rows"] = [
            {
                "item": one.item,
                "max_score": one.max_score,
                "note": notes.get(one.item, ""),
                "cells": [cell(level, one.item) for level in levels],
            }
            for one in queries.items_of(setting)
        ]
    return context


def typed_in(request: HttpRequest, setting: StandardSetting) -> dict[tuple[str, str], str]:
    """Read the cells of a form as they were typed; other fields are overlooked."""
    codes = {level.code for level in queries.levels_of(setting)}
    found = {}
    for name, text in request.POST.items():
        level, mark, item = name.partition(MARK)
        if mark and level in codes:
            found[level, item] = str(text)[:40]
    return found


@never_cache
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Save what was typed; a single field answers with a short line, a whole form with the page."""
    panelist = _panelist(request)
    typed = typed_in(request, panelist.setting)
    is_field = bool(getattr(request, "htmx", False))
    try:
        n = operations.save_judgments(panelist=panelist, typed=typed, by=None)
    except operations.LinkClosed:
        raise
    except Refusal as refusal:
        if is_field:
            context = {"refusal": refusal}
            return render(request, "standards/parts/saved.html", context)
        return _form_page(request, panelist, typed=typed, refusal_text=str(refusal))
    if is_field:
        context = {
            "at": moment_text(clock.now()).partition(" ")[0],
            "n_given": number_text(n),
            "n_wanted": number_text(queries.n_wanted(panelist.setting)),
        }
        return render(request, "standards/parts/saved.html", context)
    messages.success(request, _("Saved. You may close the page and come back."))
    return redirect("standards:form")


@never_cache
@require_POST
def submit(request: HttpRequest) -> HttpResponse:
    """Save the whole form and submit it."""
    panelist = _panelist(request)
    typed = typed_in(request, panelist.setting)
    try:
        if typed:
            operations.save_judgments(panelist=panelist, typed=typed, by=None)
        operations.submit_entry(panelist=panelist, by=None)
    except operations.LinkClosed:
        raise
    except Refusal as refusal:
        return _form_page(request, panelist, typed=typed, refusal_text=str(refusal))
    messages.success(request, _("Your form is in. Thank you."))
    return redirect("standards:form")


@never_cache
@require_POST
def take_back(request: HttpRequest) -> HttpResponse:
    """Make a submitted form a draft again."""
    panelist = _panelist(request)
    try:
        operations.take_back_entry(panelist=panelist, by=None)
    except operations.NotNow as refusal:
        messages.error(request, str(refusal))
    return redirect("standards:form")


@never_cache
@require_GET
def feedback(request: HttpRequest) -> HttpResponse:
    """Show the last closed round to a panelist: the own values beside the own panel, never another's name."""
    panelist = _panelist(request)
    setting = panelist.setting
    last = queries.last_closed(setting)
    if last is None or setting.state == State.WITHDRAWN:
        return redirect("standards:form")
    context = {
        "panelist": panelist,
        "setting": setting,
        "round": last,
        "pages": outputs.round_pages(setting, last, panel=panelist.panel, panelist=panelist),
    }
    return render(request, "standards/feedback.html", context)


@never_cache
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Forget who came in with this browser; an officer who is signed in beside it stays signed in."""
    request.session.pop(KEPT, None)
    return render(request, "standards/left.html", {"home": reverse("cycles:home")})
