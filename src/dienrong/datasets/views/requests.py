"""Pages for whoever asks for restricted data, and for the holder of a personal link."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from dienrong.core import requests
from dienrong.core.refusals import Refusal
from dienrong.datasets import kept, operations, queries
from dienrong.datasets.forms import DestructionForm, LinkForm, RequestForm
from dienrong.datasets.models import Grant
from dienrong.datasets.operations import RequestFacts, TooMany
from dienrong.datasets.views import parts


@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, release_id: int) -> HttpResponse:
    """Ask for a restricted file."""
    found = parts.release_or_404(request, release_id)
    if found.is_public or found.state not in queries.SHOWN:
        raise Http404
    person: Any = request.user
    initial = {"full_name": person.full_name, "email": person.email} if person.is_authenticated else {}
    form = RequestForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            operations.ask_for_data(
                release=found,
                facts=RequestFacts(**form.cleaned_data),
                address=requests.address_of(request),
                by=request.user,
            )
        except Refusal as refusal:
            parts.told(form, refusal)
        else:
            return redirect("datasets:asked")
    return parts.form_page(
        request,
        form,
        title=_("Ask for restricted data"),
        lead=queries.title_of(found),
        button=_("Send the request"),
        back=reverse("datasets:release", args=[found.pk]),
        is_public=True,
    )


@require_safe
def asked(request: HttpRequest) -> HttpResponse:
    """Say what happens next."""
    return render(request, "datasets/asked.html")


def _grant(token: str) -> Grant:
    """Give the grant of a link; another address does not exist."""
    found = queries.grant_by_token(token)
    if found is None:
        raise Http404
    return found


def _private(response: HttpResponse) -> HttpResponse:
    """Keep a page out of indexes, and its address out of what other sites are told.

    The policy is not "no-referrer": browsers then send no origin with the form, and the form is refused.
    """
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "same-origin"
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Give the holder of a personal link their copy, once they have named themselves."""
    found = _grant(token)
    form = LinkForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            taken = operations.take_copy(
                grant=found, email=form.cleaned_data["email"], address=requests.address_of(request)
            )
        except Refusal as refusal:
            parts.told(form, refusal)
            status = 429 if isinstance(refusal, TooMany) else 422
        else:
            name = f"{taken.request.release.slug}-{taken.copy_id}.zip"
            return parts.stream_file(request, kept.copy_of(taken), name=name, is_private=True)
    context = {
        "grant": found,
        "release": found.request.release,
        "title": queries.title_of(found.request.release),
        "form": form,
        "n_left": found.most_downloads - found.n_downloads,
        "token": token,
    }
    return _private(render(request, "datasets/link.html", context, status=status))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def destroyed(request: HttpRequest, token: str) -> HttpResponse:
    """Take the confirmation that every copy was destroyed."""
    found = _grant(token)
    form = DestructionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            operations.confirm_destruction(grant=found, **form.cleaned_data)
        except Refusal as refusal:
            parts.told(form, refusal)
        else:
            return redirect("datasets:link", token)
    return _private(
        parts.form_page(
            request,
            form,
            title=_("Confirm that the data were destroyed"),
            lead=queries.title_of(found.request.release),
            button=_("Confirm"),
            back=reverse("datasets:link", args=[token]),
            is_public=True,
        )
    )
