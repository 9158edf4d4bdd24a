"""The panel on the page of the facilitator: adding people, links, forms that came in on paper."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from dienrong.accounts.permissions import requires
from dienrong.core.formats import number_text
from dienrong.core.refusals import NotAllowed, Refusal
from dienrong.standards import operations, queries
from dienrong.standards.documents import papers
from dienrong.standards.forms import PeopleForm
from dienrong.standards.views import entry, parts, sessions


@require_POST
@requires("manage_standards")
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Seat people on the panels; what is refused comes back with the lines as they were typed."""
    found = parts.setting_or_404(pk)
    form = PeopleForm(request.POST)
    if form.is_valid():
        try:
            added = operations.add_panelists(setting=found, people=form.people_read(), by=request.user)
        except operations.StandardRefusal as refusal:
            form.add_error("people", str(refusal))
        else:
            n = len(added)
            text = ngettext("%(n)s panelist was added.", "%(n)s panelists were added.", n)
            messages.success(request, text % {"n": number_text(n)})
            return redirect(_people(pk))
    return sessions.page_of(request, found, "chuyen-gia", forms={"people_form": form}, status=422)


def _people(pk: int) -> str:
    """Give the address of the tab of panelists."""
    return f"{reverse('standards:setting', args=[pk])}?tab=chuyen-gia"


@require_POST
@requires("manage_standards")
def act(request: HttpRequest, pk: int, number: int, action: str) -> HttpResponse:
    """Revoke or renew a link, take a person off the panel, take a submitted form back."""
    found = parts.setting_or_404(pk)
    panelist = parts.panelist_or_404(found, number)
    steps: dict[str, tuple[Any, str]] = {
        "khoa-lien-ket": (operations.revoke_link, _("The link of %(name)s is revoked.")),
        "lien-ket-moi": (operations.renew_link, _("%(name)s has a new link and PIN; print the slip.")),
        "bo": (operations.remove_panelist, _("%(name)s was taken off the panel.")),
        "lay-lai-phieu": (operations.take_back_entry, _("The form of %(name)s is a draft again.")),
    }
    if action not in steps:
        raise Http404
    step, text = steps[action]
    try:
        step(panelist=panelist, by=request.user)
    except NotAllowed:
        raise
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, text % {"name": panelist.full_name})
    return redirect(_people(pk))


@never_cache
@require_POST
@requires("manage_standards")
def slip(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Show link, PIN and QR code of one panelist, to be printed or read out; that they were opened is audited."""
    found = parts.setting_or_404(pk)
    panelist = parts.panelist_or_404(found, number)
    try:
        opened = operations.open_slips(setting=found, by=request.user, only=panelist)
    except operations.StandardRefusal:
        messages.error(request, _("The link of %(name)s is revoked.") % {"name": panelist.full_name})
        return redirect(_people(pk))
    address = request.build_absolute_uri(reverse("standards:door", args=[opened[0].code]))
    context = {
        "setting": found,
        "slip": opened[0],
        "address": address,
        "qr": mark_safe(papers.qr_svg(address)),  # noqa: S308 - segno draws it; the address is no part of the markup
    }
    return render(request, "standards/slip.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("manage_standards")
def type_in(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Type in a form that came on paper; the audit log says who typed it."""
    found = parts.setting_or_404(pk)
    panelist = parts.panelist_or_404(found, number)
    open_round = queries.open_round_of(found)
    if open_round is None:
        messages.error(request, _("No round is open."))
        return redirect(_people(pk))
    refusal_text, typed = "", None
    if request.method == "POST":
        typed = entry.typed_in(request, found)
        try:
            operations.type_entry(panelist=panelist, typed=typed, by=request.user)
        except NotAllowed:
            raise
        except Refusal as refusal:
            refusal_text = str(refusal)
        else:
            messages.success(request, _("The form of %(name)s is in.") % {"name": panelist.full_name})
            return redirect(_people(pk))
    context = {
        "setting": found,
        "panelist": panelist,
        "round": open_round,
        "refusal_text": refusal_text,
        **entry.fields_of(found, queries.entry_of(open_round, panelist), typed),
    }
    return render(request, "standards/type_in.html", context, status=422 if refusal_text else 200)
