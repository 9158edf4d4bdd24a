"""The page behind a one-time link: an invited person makes their account, or a person sets a new password."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from dienrong.accounts import entering, operations, queries
from dienrong.accounts.forms import AcceptForm, NewPasswordForm
from dienrong.accounts.models import FailureKind, Invitation, InvitationPurpose, User
from dienrong.accounts.views.sign_in import begin_at_provider
from dienrong.core import requests
from dienrong.core.refusals import Refusal


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def open_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Show what a link is for and who gave it; take user name and password. Opening alone uses nothing up."""
    invitation = _demand_open(request, secret)
    if request.user.is_authenticated:
        return _answer(render(request, "accounts/link_signed_in.html", {"invitation": invitation}))
    is_new = invitation.purpose == InvitationPurpose.NEW_ACCOUNT
    if is_new and request.method == "POST" and "provider" in request.POST:
        return _to_provider(request, invitation, secret)
    person = invitation.person or User(full_name=invitation.full_name, email=invitation.email)
    form = (AcceptForm if is_new else NewPasswordForm)(request.POST or None, user=person)
    if request.method == "POST" and form.is_valid():
        try:
            if is_new:
                user = operations.accept_invitation(
                    raw=secret,
                    username=form.cleaned_data["username"],
                    password=form.cleaned_data["new_password"],
                )
            else:
                user = operations.accept_reset(raw=secret, password=form.cleaned_data["new_password"])
        except operations.PersonRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            return _answer(entering.proceed(request, user=user, way="link", target="/"))
    return _answer(_page(request, invitation, form))


def _page(request: HttpRequest, invitation: Invitation, form: NewPasswordForm) -> HttpResponse:
    """Draw the page of an open link."""
    context = {
        "form": form,
        "invitation": invitation,
        "is_new": invitation.purpose == InvitationPurpose.NEW_ACCOUNT,
        "provider": settings.OPTIONS.oidc_name if settings.OPTIONS.has_oidc else "",
    }
    return render(request, "accounts/link.html", context)


def _demand_open(request: HttpRequest, secret: str) -> Invitation:
    """Find the link, counting guesses by address; refuse a closed one in words."""
    address = requests.address_of(request)
    operations.refuse_if_locked(username="", address=address, kind=FailureKind.LINK)
    invitation = queries.invitation_by_secret(secret)
    if invitation is None:
        operations.note_failure(username="", address=address, kind=FailureKind.LINK)
        raise operations.LinkClosed(
            _("This link opens nothing. Was it copied whole?"),
            hint=_("Please ask whoever sent it for a new one."),
        )
    closed: Refusal | None = operations.closed_because(invitation)
    if closed is not None:
        raise closed
    return invitation


def _to_provider(request: HttpRequest, invitation: Invitation, secret: str) -> HttpResponse:
    """Begin at the provider in the place of a password; the user name is checked before."""
    person = User(full_name=invitation.full_name)
    form = AcceptForm(request.POST, user=person)
    form.is_valid()
    for name in ("new_password", "repeated"):
        form.errors.pop(name, None)
    if form.errors:
        return _answer(_page(request, invitation, form))
    response = begin_at_provider(
        request, purpose="invitation", target="/", username=form.cleaned_data["username"]
    )
    entering.keep_to_show(request, "invitation", secret)
    return response


def _answer(response: HttpResponse) -> HttpResponse:
    """Keep the address of the page, which holds the secret, from being told to any other site."""
    response.headers["Referrer-Policy"] = "same-origin"  # "no-referrer" makes browsers send "Origin: null"
    return response
