"""Pages of signing in: password, second step, provider of OpenID Connect, and out again."""

from __future__ import annotations

import io
from typing import Any

import pyotp
import segno
from django.conf import settings
from django.contrib import auth, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dienrong.accounts import entering, oidc, operations, permissions, queries
from dienrong.accounts.forms import CodeForm, SignInForm
from dienrong.accounts.middleware import SECOND_FACTOR_SHOWN
from dienrong.accounts.models import User
from dienrong.core import requests
from dienrong.core.refusals import NotAllowed, Refusal
from dienrong.core.views import safe_next

FLOW = "accounts.oidc"
ISSUER_NAME = "Diện Rộng"


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """Check a password, and let the person in or lead them to the second step."""
    if request.user.is_authenticated and request.method == "GET":
        return redirect(safe_next(request))
    form = SignInForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid() and form.user is not None:
        return entering.proceed(request, user=form.user, way="password", target=safe_next(request))
    people = list(queries.demo_people()) if settings.OPTIONS.demo else []
    context = {
        "form": form,
        "next": safe_next(request, ""),
        "demo_people": people,
        "provider": settings.OPTIONS.oidc_name if settings.OPTIONS.has_oidc else "",
    }
    return render(request, "accounts/login.html", context)


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """Sign a person out."""
    if request.user.is_authenticated:
        operations.note_sign_out(user=request.user, session_key=request.session.session_key or "")
    auth.logout(request)
    messages.success(request, _("You are signed out."))
    return redirect("accounts:login")


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """Ask for the code of the app."""
    user, pending = _between_steps(request)
    if user is None:
        return redirect("accounts:login")
    if not queries.has_totp(user):
        return redirect("accounts:totp_setup")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            by_recovery = operations.check_code(
                user=user, code=form.cleaned_data["code"], address=requests.address_of(request)
            )
        except Refusal as refusal:
            form.add_error("code", str(refusal))
        else:
            response = _second_factor_shown(request, user, pending)
            if by_recovery:
                left = queries.second_factor_of(user).n_recovery_codes
                sentence = _(
                    "A recovery code was used up; %(n)d are left. Make new ones on your account page."
                )
                messages.warning(request, sentence % {"n": left})
            return response
    return render(request, "accounts/second_step.html", {"form": form, "person": user})


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def totp_setup(request: HttpRequest) -> HttpResponse:
    """Let a person put the secret into their app and prove it by a first code."""
    user, pending = _between_steps(request)
    if user is None:
        return redirect("accounts:login")
    if queries.has_totp(user):
        return redirect("accounts:second_step" if pending else "accounts:profile")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = operations.confirm_totp(user=user, code=form.cleaned_data["code"])
        except Refusal as refusal:
            form.add_error("code", str(refusal))
        else:
            response = _second_factor_shown(request, user, pending)
            entering.keep_to_show(request, "codes", " ".join(codes))
            entering.keep_to_show(request, "target", response.headers["Location"])
            return redirect("accounts:recovery_codes")
    secret = operations.begin_totp(user=user)
    address = pyotp.TOTP(secret).provisioning_uri(name=user.username, issuer_name=ISSUER_NAME)
    context = {
        "form": form,
        "person": user,
        "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        "drawing": qr_drawing(address),
        "is_needed": permissions.needs_second_factor(user),
    }
    return render(request, "accounts/totp_setup.html", context)


@never_cache
@permissions.requires_person
@require_GET
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Show new recovery codes, once."""
    codes = entering.take_to_show(request, "codes").split()
    target = entering.take_to_show(request, "target") or reverse("accounts:profile")
    return render(request, "accounts/recovery_codes.html", {"codes": codes, "target": target})


@require_POST
def oidc_start(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider: to sign in, or, for who is signed in, to link the account."""
    purpose = "link" if request.user.is_authenticated else "sign_in"
    return begin_at_provider(request, purpose=purpose, target=safe_next(request))


@never_cache
@require_GET
def oidc_callback(request: HttpRequest) -> HttpResponse:
    """Take the provider's answer: sign in, link, or make the account of an invitation."""
    if not settings.OPTIONS.has_oidc:
        raise Http404
    flow = request.session.pop(FLOW, None)
    asked = request.GET
    claims = oidc.finish(
        flow=flow, state=asked.get("state", ""), code=asked.get("code", ""), error=asked.get("error", "")
    )
    assert flow is not None  # finish refuses without one
    if flow["purpose"] == "link":
        return _link(request, flow, claims)
    if flow["purpose"] == "invitation":
        user = operations.accept_with_identity(
            raw=entering.take_to_show(request, "invitation"),
            username=flow["username"],
            issuer=claims.issuer,
            subject=claims.subject,
        )
    else:
        user = _person_of(claims)
    return entering.proceed(
        request, user=user, way="oidc", target=flow["target"], has_second_factor=claims.has_second_factor
    )


def begin_at_provider(request: HttpRequest, *, purpose: str, target: str, username: str = "") -> HttpResponse:
    """Begin a flow at the provider and keep in the session what its answer is checked against."""
    if not settings.OPTIONS.has_oidc:
        raise Http404
    address, flow = oidc.start(callback=request.build_absolute_uri(reverse("accounts:oidc_callback")))
    by = request.user.pk if request.user.is_authenticated else None
    request.session[FLOW] = flow | {"purpose": purpose, "target": target, "username": username, "by": by}
    return redirect(address)


def qr_drawing(text: str) -> SafeString:
    """Draw a QR code as SVG that stands in the page; black on white on every ground."""
    out = io.BytesIO()
    segno.make(text, error="m").save(
        out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=3, dark="#000", light="#fff"
    )
    return mark_safe(out.getvalue().decode())  # noqa: S308 - segno draws it; the text is no part of the markup


def _person_of(claims: oidc.Claims) -> User:
    """Give the person whose account is linked to a subject; nobody is made here."""
    identity = queries.identity_by_subject(issuer=claims.issuer, subject=claims.subject)
    name = {"name": settings.OPTIONS.oidc_name}
    whom = _("Please ask the officer who looks after the accounts of your unit.")
    if identity is None:
        raise NotAllowed(
            _("Your %(name)s identity is not linked to an account of this site.") % name,
            whom_to_ask=_(
                "If you have an account: sign in with your password and link %(name)s on the page “My account”. "
                "If not: please ask the officer who looks after the accounts of your unit for an invitation."
            )
            % name,
        )
    if not identity.user.is_active:
        raise NotAllowed(_("This account is switched off."), whom_to_ask=whom)
    operations.note_identity_used(identity=identity)
    return identity.user


def _link(request: HttpRequest, flow: dict[str, Any], claims: oidc.Claims) -> HttpResponse:
    """Link the subject to the account that asked for it, if that one is still the one at work."""
    if not request.user.is_authenticated or request.user.pk != flow["by"]:
        raise oidc.ProviderRefused(_("Another person is signed in here now. Nothing was linked."))
    operations.link_identity(user=request.user, issuer=claims.issuer, subject=claims.subject)
    messages.success(request, _("%(name)s is linked to your account.") % {"name": settings.OPTIONS.oidc_name})
    return redirect("accounts:profile")


def _between_steps(request: HttpRequest) -> tuple[User | None, entering.Pending | None]:
    """Give who is asked for the second factor here: signed in already, or between the steps."""
    if request.user.is_authenticated:
        return request.user, None
    pending = entering.pending_of(request)
    return (pending.user if pending else None), pending


def _second_factor_shown(request: HttpRequest, user: User, pending: entering.Pending | None) -> HttpResponse:
    """Let in who was between the steps; mark the session of who was in already."""
    if pending is not None:
        return entering.let_in(request, user=user, way=pending.way, target=pending.target, second_factor=True)
    request.session.cycle_key()
    request.session[SECOND_FACTOR_SHOWN] = True
    return redirect("accounts:profile")
