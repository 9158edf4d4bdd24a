"""The guided page: one heading at a time, the evidence beside it, words saved as they are written."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from dienrong.core.formats import moment_text
from dienrong.core.refusals import NotAllowed, Refusal, SignInFirst
from dienrong.reporting import operations, quoting
from dienrong.reporting.differences import differences
from dienrong.reporting.headings import HEADINGS, Heading
from dienrong.reporting.models import TextSection
from dienrong.reporting.queries import evidence, writing
from dienrong.reporting.views.parts import Desk, common, desk_for, heading_at, steps
from dienrong.reporting.views.reports import language_now


def _section(desk: Desk, heading: Heading) -> TextSection:
    """Give the section of a heading."""
    return writing.sections_of(desk.text)[heading.key]


def _is_script(request: HttpRequest) -> bool:
    """Tell whether the page's script asks, which wants a short answer."""
    return request.headers.get("Accept") == "application/json"


@never_cache
@require_safe
def section(request: HttpRequest, slug: str, province: str, heading: str) -> HttpResponse:
    """Show one heading: its words, and the evidence offered for it."""
    desk, chosen = desk_for(request, province), heading_at(heading)
    return _page(request, desk, chosen)


def _page(
    request: HttpRequest,
    desk: Desk,
    heading: Heading,
    *,
    typed: str | None = None,
    refusal: Refusal | None = None,
) -> HttpResponse:
    """Draw the page of a heading; what was typed stays where it could not be saved."""
    sections = writing.sections_of(desk.text)
    kept = sections[heading.key]
    citations = writing.citations_of(desk.text)
    changed = evidence.changed_figures(desk.report, desk.province, citations)
    hindrances = writing.hindrances(desk.text, changed)
    place = HEADINGS.index(heading)
    context = {
        **common(desk, request),
        "heading": heading,
        "number": place + 1,
        "section": kept,
        "body": kept.body if typed is None else typed,
        "refusal": refusal,
        "tab": secrets.token_hex(8),
        "longest": quoting.LONGEST_BODY,
        "steps": steps(desk, sections, heading.key),
        "faults": [
            one for one in hindrances if one.key == heading.key and one.kind in ("altered", "unknown")
        ],
        "changed": [one for one in hindrances if one.key == heading.key and one.kind == "changed"],
        "conflicts": writing.open_conflicts(kept),
        "groups": _groups(desk, heading, citations, show_all="tat-ca" in request.GET),
        "show_all": "tat-ca" in request.GET,
        "earlier": writing.earlier_words(desk.text, heading.key),
        "save_url": desk.url("save_section", heading.address),
        "cite_url": desk.url("cite", heading.address),
        "history_url": desk.url("versions", heading.address),
        "next_url": (
            desk.url("write_section", HEADINGS[place + 1].address)
            if place + 1 < len(HEADINGS)
            else desk.url("measures")
        ),
    }
    return render(request, "reporting/writing/section.html", context, status=422 if refusal else 200)


def _groups(
    desk: Desk, heading: Heading, citations: list[Any], *, show_all: bool
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Group the evidence of a heading by grade and subject; figures quoted above come first in the last headings."""
    language = language_now()
    marks = {one.key: one.mark for one in citations if one.language == language}
    rows = evidence.offered(desk.report, desk.province, language)
    quoted_first = heading.key in ("solutions", "recommendations")
    groups: dict[str, list[dict[str, Any]]] = {}
    for one in rows:
        is_offered = heading.key in one.headings or (quoted_first and one.key in marks)
        if not (show_all or is_offered):
            continue
        groups.setdefault(one.group, []).append({"evidence": one, "mark": marks.get(one.key, "")})
    return list(groups.items())


@require_POST
def save(request: HttpRequest, slug: str, province: str, heading: str) -> HttpResponse:
    """Save the words of a heading; the script gets a short answer, a form without script the page.

    A form without script may ask for a figure in the same breath: it is quoted at the end of the words.
    """
    desk, chosen = desk_for(request, province), heading_at(heading)
    body = request.POST.get("body", "")
    try:
        if request.POST.get("cite"):
            body = _with_quotation(request, desk, body)
        saved = operations.save_section(
            text=desk.text,
            key=chosen.key,
            body=body,
            edition=_number(request, "edition"),
            tab=request.POST.get("tab", "")[:32],
            by=request.user,
        )
    except (NotAllowed, SignInFirst):
        raise
    except Refusal as refusal:
        if _is_script(request):
            answer = {"state": "refused", "sentence": f"{refusal.sentence} {refusal.hint}".strip()}
            return JsonResponse(answer, status=422)
        return _page(request, desk, chosen, typed=body, refusal=refusal)
    if saved.conflict is not None:
        url = desk.url("both_texts", chosen.address, saved.conflict.number)
        if _is_script(request):
            return JsonResponse({"state": "conflict", "url": url}, status=409)
        return redirect(url)
    if _is_script(request):
        at = moment_text(saved.section.changed_at).partition(" ")[0] if saved.section.changed_at else ""
        return JsonResponse({"state": "saved", "edition": saved.section.edition, "at": at})
    messages.success(request, _("Saved."))
    return redirect(desk.url("write_section", chosen.address))


def _with_quotation(request: HttpRequest, desk: Desk, body: str) -> str:
    """Put a quotation at the end of the words that a form without script sends."""
    citation = _cited(request, desk, request.POST["cite"])
    end = "" if not body or body.endswith("\n") else "\n"
    return f"{body}{end}{quoting.quotation(citation.mark, citation.sentence)}\n"


def _cited(request: HttpRequest, desk: Desk, key: str) -> Any:
    """Give a figure of the evidence its mark."""
    language = language_now()
    found = evidence.find(evidence.offered(desk.report, desk.province, language), key)
    if found is None:
        raise Http404
    return operations.cite(
        text=desk.text, offered=found, language=language, run=desk.report.run, by=request.user
    )


@require_POST
def cite(request: HttpRequest, slug: str, province: str, heading: str) -> HttpResponse:
    """Give the quotation of a figure, for the script to put where the cursor stands."""
    desk = desk_for(request, province)
    heading_at(heading)
    try:
        citation = _cited(request, desk, request.POST.get("cite", ""))
    except (NotAllowed, SignInFirst):
        raise
    except Refusal as refusal:
        return JsonResponse({"sentence": f"{refusal.sentence} {refusal.hint}".strip()}, status=422)
    return JsonResponse(
        {"mark": citation.mark, "quotation": quoting.quotation(citation.mark, citation.sentence)}
    )


@require_POST
def renew(request: HttpRequest, slug: str, province: str, number: int) -> HttpResponse:
    """Put the present sentence of a figure that a new run changed into its quotations."""
    desk = desk_for(request, province)
    citation = next((one for one in writing.citations_of(desk.text) if one.number == number), None)
    if citation is None:
        raise Http404
    new = evidence.changed_figures(desk.report, desk.province, [citation]).get(citation.mark)
    if new is None:
        raise Http404
    operations.renew(text=desk.text, number=number, sentence=new, run=desk.report.run, by=request.user)
    messages.success(
        request,
        _("%(mark)s now says the present figure. Please read the words around it again.")
        % {"mark": citation.mark},
    )
    back = request.POST.get("heading", "")
    return redirect(desk.url("write_section", heading_at(back).address) if back else desk.url("write"))


@never_cache
@require_safe
def versions(request: HttpRequest, slug: str, province: str, heading: str) -> HttpResponse:
    """List what stood under a heading: who, when, and what changed against the version before."""
    desk, chosen = desk_for(request, province), heading_at(heading)
    kept = _section(desk, chosen)
    rows = list(writing.versions_of(kept)[:50])
    number = _number(request, "so", source=request.GET) or (rows[0].number if rows else 0)
    shown = writing.version_of(kept, number)
    before = writing.versions_of(kept).filter(number__lt=number).exclude(kind="conflict").first()
    context = {
        **common(desk, request),
        "heading": chosen,
        "section": kept,
        "rows": rows,
        "shown": shown,
        "before": before,
        "pieces": differences(before.body if before else "", shown.body) if shown else [],
        "steps": steps(desk, writing.sections_of(desk.text), chosen.key),
        "section_url": desk.url("write_section", chosen.address),
        "restore_url": desk.url("restore", chosen.address, number) if shown else "",
    }
    return render(request, "reporting/writing/versions.html", context)


@require_POST
def restore(request: HttpRequest, slug: str, province: str, heading: str, number: int) -> HttpResponse:
    """Bring an earlier version back."""
    desk, chosen = desk_for(request, province), heading_at(heading)
    if writing.version_of(_section(desk, chosen), number) is None:
        raise Http404
    operations.restore_version(text=desk.text, key=chosen.key, number=number, by=request.user)
    messages.success(request, _("Version %(n)s stands again; what stood before is kept.") % {"n": number})
    return redirect(desk.url("write_section", chosen.address))


@never_cache
@require_safe
def both_texts(request: HttpRequest, slug: str, province: str, heading: str, number: int) -> HttpResponse:
    """Show two texts that were written at the same time; the person chooses or joins them."""
    desk, chosen = desk_for(request, province), heading_at(heading)
    kept = _section(desk, chosen)
    other = writing.version_of(kept, number)
    if other is None or other.kind != other.Kind.CONFLICT:
        raise Http404
    context = {
        **common(desk, request),
        "heading": chosen,
        "section": kept,
        "other": other,
        "pieces": differences(kept.body, other.body),
        "settle_url": desk.url("settle", chosen.address, number),
        "steps": steps(desk, writing.sections_of(desk.text), chosen.key),
    }
    return render(request, "reporting/writing/both.html", context)


@require_POST
def settle(request: HttpRequest, slug: str, province: str, heading: str, number: int) -> HttpResponse:
    """Keep the words that were chosen from two texts."""
    desk, chosen = desk_for(request, province), heading_at(heading)
    other = writing.version_of(_section(desk, chosen), number)
    if other is None:
        raise Http404
    body = {"theirs": request.POST.get("kept", ""), "mine": other.body}.get(
        request.POST.get("choice", ""), request.POST.get("body", "")
    )
    saved = operations.settle_conflict(
        text=desk.text,
        key=chosen.key,
        number=number,
        body=body,
        edition=_number(request, "edition"),
        by=request.user,
    )
    if saved.conflict is not None:
        messages.warning(
            request, _("Somebody saved again meanwhile. Both texts are kept; please look once more.")
        )
        return redirect(desk.url("both_texts", chosen.address, saved.conflict.number))
    messages.success(request, _("Your choice stands; both texts are among the versions."))
    return redirect(desk.url("write_section", chosen.address))


def _number(request: HttpRequest, name: str, source: Any = None) -> int:
    """Read a whole number of a form; 0 where none stands there."""
    text = (source if source is not None else request.POST).get(name, "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0
