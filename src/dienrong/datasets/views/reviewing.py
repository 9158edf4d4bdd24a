"""Pages of decisions: review, publication, withdrawal, requests, links."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dienrong.accounts.permissions import requires
from dienrong.core import recording
from dienrong.core.refusals import Refusal
from dienrong.datasets import operations, queries, words
from dienrong.datasets.forms import GrantForm, ReasonForm, ReviewForm
from dienrong.datasets.models import DataRequest, Grant, Release
from dienrong.datasets.views import parts


def _release(key: int) -> Release:
    """Give a release in whatever state."""
    found = queries.releases().filter(pk=key).first()
    if found is None:
        raise Http404
    return found


@require_POST
@requires("manage_datasets")
def review(request: HttpRequest, release_id: int) -> HttpResponse:
    """Approve files or send them back."""
    found = _release(release_id)
    form = ReviewForm(request.POST)
    form.full_clean()
    is_approved = request.POST.get("decision") == "approve"
    operations.review_release(
        release=found, is_approved=is_approved, note=form.cleaned_data.get("note", ""), by=request.user
    )
    messages.success(request, _("The files are approved.") if is_approved else _("The files are sent back."))
    return redirect("datasets:managed", found.pk)


@require_POST
@requires("manage_datasets")
def publish(request: HttpRequest, release_id: int) -> HttpResponse:
    """Publish approved files."""
    found = _release(release_id)
    operations.publish_release(release=found, by=request.user)
    messages.success(request, _("The files are published."))
    return redirect("datasets:managed", found.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("manage_datasets")
def withdraw(request: HttpRequest, release_id: int) -> HttpResponse:
    """Withdraw published files."""
    found = _release(release_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            operations.withdraw_release(release=found, by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The files are withdrawn; nobody takes them from now on."))
            return redirect("datasets:managed", found.pk)
    return parts.form_page(
        request,
        form,
        title=_("Withdraw the files"),
        lead=queries.title_of(found),
        button=_("Withdraw the files"),
        back=reverse("datasets:managed", args=[found.pk]),
        is_dangerous=True,
    )


def _request(key: int) -> DataRequest:
    """Give a request."""
    found = queries.request_of(key)
    if found is None:
        raise Http404
    return found


def _grant(key: int) -> Grant:
    """Give a grant."""
    found = queries.grant_of(key)
    if found is None:
        raise Http404
    return found


@require_safe
@requires("manage_datasets")
def request_page(request: HttpRequest, request_id: int) -> HttpResponse:
    """Show a request with its links, downloads and history."""
    found = _request(request_id)
    entries = recording.history_of(kind="datasets.datarequest", key=str(found.pk), limit=30)
    user: Any = request.user
    context = {
        "asked": found,
        "title": queries.title_of(found.release),
        "shape": words.SHAPES[found.state],
        "is_own": found.user_id is not None and found.user_id == user.pk,
        "grants": [
            {"grant": one, "shape": words.SHAPES[one.state], "word": words.GRANT_WORDS[one.state]}
            for one in found.grants.prefetch_related("downloads")
        ],
        "grant_form": GrantForm(),
        "reason_form": ReasonForm(),
        "entries": [{"entry": one, "word": recording.action_word(one.action)} for one in entries],
    }
    return render(request, "datasets/request.html", context)


@never_cache
@require_POST
@requires("manage_datasets")
def grant(request: HttpRequest, request_id: int) -> HttpResponse:
    """Grant a request, and show its link this once."""
    found = _request(request_id)
    form = GrantForm(request.POST)
    if not form.is_valid():
        return _grant_form(request, form, found)
    try:
        made, token = operations.decide_grant(request=found, by=request.user, **form.cleaned_data)
    except Refusal as refusal:
        parts.told(form, refusal)
        return _grant_form(request, form, found)
    return _shown_once(request, made, token)


def _grant_form(request: HttpRequest, form: GrantForm, found: DataRequest) -> HttpResponse:
    """Show the form of a grant again."""
    return parts.form_page(
        request,
        form,
        title=_("Grant the request"),
        lead=found.full_name,
        button=_("Grant and make the link"),
        back=reverse("datasets:request", args=[found.pk]),
    )


def _shown_once(request: HttpRequest, made: Grant, token: str) -> HttpResponse:
    """Show a new link; it is kept nowhere and cannot be shown again."""
    address = request.build_absolute_uri(reverse("datasets:link", args=[token]))
    return render(request, "datasets/new_link.html", {"grant": made, "address": address})


@require_POST
@requires("manage_datasets")
def refuse(request: HttpRequest, request_id: int) -> HttpResponse:
    """Refuse a request with the reason."""
    found = _request(request_id)
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            operations.decide_refusal(request=found, by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The request is refused; tell the person the reason."))
            return redirect("datasets:request", found.pk)
    return parts.form_page(
        request,
        form,
        title=_("Refuse the request"),
        lead=found.full_name,
        button=_("Refuse the request"),
        back=reverse("datasets:request", args=[found.pk]),
        is_dangerous=True,
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires("manage_datasets")
def renew(request: HttpRequest, grant_id: int) -> HttpResponse:
    """Give a new link in the place of one."""
    found = _grant(grant_id)
    form = GrantForm(request.POST or None)
    del form.fields["note"]
    if request.method == "POST" and form.is_valid():
        try:
            made, token = operations.renew_grant(grant=found, by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            parts.told(form, refusal)
        else:
            return _shown_once(request, made, token)
    return parts.form_page(
        request,
        form,
        title=_("Renew the link"),
        lead=found.request.full_name,
        hint=_("The old link ends; the copy gets a new number."),
        button=_("Make a new link"),
        back=reverse("datasets:request", args=[found.request_id]),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("manage_datasets")
def revoke(request: HttpRequest, grant_id: int) -> HttpResponse:
    """Revoke a link."""
    found = _grant(grant_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            operations.revoke_grant(grant=found, by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The link is revoked and opens nothing any more."))
            return redirect("datasets:request", found.request_id)
    return parts.form_page(
        request,
        form,
        title=_("Revoke the personal link"),
        lead=found.request.full_name,
        button=_("Revoke the personal link"),
        back=reverse("datasets:request", args=[found.request_id]),
        is_dangerous=True,
    )
