"""Pages on which a person looks after their own account."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import auth, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from dienrong.accounts import entering, operations, permissions, queries
from dienrong.accounts.forms import ApiTokenForm, CodeForm, DelegationForm, PasswordForm, ProfileForm
from dienrong.accounts.models import Assignment
from dienrong.accounts.operations.delegation import LONGEST_DAYS
from dienrong.core import requests
from dienrong.core.refusals import Refusal
from dienrong.core.views import set_language_cookie


@permissions.requires_person
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Show and change what a person says about themselves, their roles and their browsers."""
    user = request.user
    initial = {
        "full_name": user.full_name,
        "email": user.email,
        "language": user.language or settings.LANGUAGE_CODE,
    }
    form = ProfileForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        operations.change_profile(user=user, **form.cleaned_data)
        with translation.override(form.cleaned_data["language"]):
            messages.success(request, _("Your account was changed."))
        response = redirect("accounts:profile")
        set_language_cookie(response, form.cleaned_data["language"])
        return response
    options = settings.OPTIONS
    may_use_api = permissions.may(user, "use_api")
    assignments = permissions.assignments_of(user)
    context = {
        "form": form,
        "assignments": assignments,
        "may_delegate": any(row.delegated_from_id is None for row in assignments),
        "delegations": queries.delegations_given_by(user) if assignments else (),
        "second_factor": queries.second_factor_of(user),
        "provider": options.oidc_name if options.has_oidc else "",
        "identity": queries.identity_of(user, options.oidc_issuer) if options.has_oidc else None,
        "may_use_api": may_use_api,
        "tokens": queries.tokens_of(user) if may_use_api else (),
        "sign_ins": queries.sign_ins_of(user),
        "session_key": request.session.session_key,
    }
    return render(request, "accounts/profile.html", context)


@never_cache
@sensitive_post_parameters()
@permissions.requires_person
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Change the password and stay signed in here; other browsers are signed out."""
    form = PasswordForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        old_key = request.session.session_key or ""
        operations.set_password(
            user=request.user, password=form.cleaned_data["new_password"], by=request.user
        )
        auth.update_session_auth_hash(request, request.user)
        operations.move_sign_in(user=request.user, old_key=old_key, new_key=request.session.session_key or "")
        messages.success(request, _("Your password was changed. Other browsers are signed out."))
        return redirect("accounts:profile")
    return render(request, "accounts/password.html", {"form": form})


@permissions.requires_person
@require_POST
def end_sign_in(request: HttpRequest, sign_in_id: int) -> HttpResponse:
    """Sign a person out of another of their browsers."""
    if not operations.end_sign_in(user=request.user, sign_in_id=sign_in_id):
        raise Http404
    messages.success(request, _("That browser is signed out."))
    return redirect("accounts:profile")


@never_cache
@sensitive_post_parameters("code")
@permissions.requires_person
@require_http_methods(["GET", "HEAD", "POST"])
def change_totp(request: HttpRequest) -> HttpResponse:
    """Move to another phone, or make new recovery codes; both ask for a code first."""
    user = request.user
    if not queries.has_totp(user):
        return redirect("accounts:totp_setup")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            operations.check_code(
                user=user, code=form.cleaned_data["code"], address=requests.address_of(request)
            )
        except Refusal as refusal:
            form.add_error("code", str(refusal))
        else:
            if request.POST.get("what") == "codes":
                codes = operations.make_recovery_codes(user=user)
                entering.keep_to_show(request, "codes", " ".join(codes))
                return redirect("accounts:recovery_codes")
            operations.drop_totp(person=user, by=user)
            return redirect("accounts:totp_setup")
    return render(request, "accounts/change_totp.html", {"form": form})


@permissions.requires_person
@require_POST
def unlink_identity(request: HttpRequest) -> HttpResponse:
    """Unlink the provider from the account."""
    operations.unlink_identity(user=request.user, issuer=settings.OPTIONS.oidc_issuer)
    messages.success(request, _("%(name)s is not linked any more.") % {"name": settings.OPTIONS.oidc_name})
    return redirect("accounts:profile")


@never_cache
@permissions.requires("use_api")
@require_http_methods(["GET", "HEAD", "POST"])
def api_tokens(request: HttpRequest) -> HttpResponse:
    """List the keys for programs, make one, show it once."""
    form = ApiTokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _token, raw = operations.make_api_token(user=request.user, **form.cleaned_data)
        except operations.ApiTokenRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            entering.keep_to_show(request, "token", raw)
            return redirect("accounts:api_tokens")
    fresh = entering.take_to_show(request, "token")
    context = {"form": form, "tokens": queries.tokens_of(request.user), "fresh": fresh}
    return render(request, "accounts/api_tokens.html", context)


@permissions.requires_person
@require_POST
def revoke_api_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """Revoke one of the person's own keys."""
    token = queries.tokens_of(request.user).filter(pk=token_id).first()
    if token is None:
        raise Http404
    operations.revoke_api_token(token=token, by=request.user)
    messages.success(request, _("The key was revoked; it opens nothing any more."))
    return redirect("accounts:api_tokens")


@permissions.requires_person
@require_http_methods(["GET", "HEAD", "POST"])
def delegate(request: HttpRequest) -> HttpResponse:
    """Lend one's own role to somebody of the same unit until a day."""
    own = [row for row in permissions.assignments_of(request.user) if row.delegated_from_id is None]
    chosen = _chosen_role(own, request.GET.get("role", ""))
    search = request.GET.get("q", "").strip()[:80]
    context: dict[str, Any] = {
        "own": own,
        "chosen": chosen,
        "search": search,
        "longest": LONGEST_DAYS,
    }
    if chosen is None:
        return render(request, "accounts/delegate.html", context)
    people = queries.candidates_for_delegation(chosen, search=search)
    form = DelegationForm(request.POST or None, people=people)
    if request.method == "POST" and form.is_valid():
        try:
            operations.delegate_role(
                assignment=chosen,
                to=form.chosen(),
                last_day=form.cleaned_data["last_day"],
                by=request.user,
            )
        except operations.DelegationRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Your role is delegated to %(name)s.") % {"name": form.chosen()})
            return redirect("accounts:profile")
    return render(request, "accounts/delegate.html", context | {"form": form, "people": people})


@permissions.requires_person
@require_POST
def revoke_delegation(request: HttpRequest, assignment_id: int) -> HttpResponse:
    """End a delegation that the person gave or received."""
    row = queries.role(assignment_id)
    source = row.delegated_from if row is not None else None
    if row is None or source is None or request.user.pk not in (source.user_id, row.user_id):
        raise Http404
    operations.revoke_delegation(delegated=row, by=request.user)
    messages.success(request, _("The delegation has ended."))
    return redirect("accounts:profile")


def _chosen_role(own: list[Assignment], wanted: str) -> Assignment | None:
    """Give the role that is to be delegated: the one chosen, or the only one there is."""
    if len(own) == 1:
        return own[0]
    return next((row for row in own if str(row.pk) == wanted), None)
