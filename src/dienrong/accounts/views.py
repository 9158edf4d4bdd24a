"""Pages on which people sign in, sign out and look after their account."""

from __future__ import annotations

from django.conf import settings
from django.contrib import auth, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from dienrong.accounts import operations, permissions, queries
from dienrong.accounts.forms import PasswordForm, ProfileForm, SignInForm
from dienrong.core import requests
from dienrong.core.views import safe_next, set_language_cookie


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """Sign a person in and lead them to where they wanted to go."""
    if request.user.is_authenticated and request.method == "GET":
        return redirect(safe_next(request))
    form = SignInForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid() and form.user is not None:
        auth.login(request, form.user)
        operations.note_sign_in(
            user=form.user,
            session_key=request.session.session_key or "",
            address=requests.address_of(request),
            device=request.headers.get("User-Agent", ""),
        )
        response = redirect(safe_next(request))
        if form.user.language in dict(settings.LANGUAGES):
            set_language_cookie(response, form.user.language)
        return response
    people = list(queries.demo_people()) if settings.OPTIONS.demo else []
    context = {"form": form, "next": safe_next(request, ""), "demo_people": people}
    return render(request, "accounts/login.html", context)


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """Sign a person out."""
    if request.user.is_authenticated:
        operations.note_sign_out(user=request.user, session_key=request.session.session_key or "")
    auth.logout(request)
    messages.success(request, _("You are signed out."))
    return redirect("accounts:login")


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
    context = {
        "form": form,
        "assignments": permissions.assignments_of(user),
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
