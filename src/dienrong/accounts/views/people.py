"""Pages of officers about the people in their charge."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dienrong.accounts import entering, operations, permissions, queries
from dienrong.accounts.forms import InviteForm, RoleForm, unit_choices
from dienrong.accounts.models import Assignment, Invitation, InvitationPurpose, Role, User
from dienrong.accounts.views.sign_in import qr_drawing
from dienrong.core import clock, formats, recording
from dienrong.core.refusals import NotAllowed

ROWS_PER_PAGE = 50
ENTRIES_SHOWN = 20


@require_GET
@permissions.requires("manage_people")
def people(request: HttpRequest) -> HttpResponse:
    """List the people in the officer's charge."""
    filters = {name: request.GET.get(name, "").strip()[:80] for name in ("q", "role", "state")}
    found = queries.people_in_charge_of(
        request.user, search=filters["q"], role=filters["role"], state=filters["state"]
    )
    page = Paginator(found, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "filters": {**filters, "is_used": any(filters.values())},
        "roles": permissions.roles_given_by(request.user),
    }
    return render(request, "accounts/people.html", context)


@require_GET
@permissions.requires("manage_people")
def person(request: HttpRequest, person_id: int) -> HttpResponse:
    """Show one person: roles, delegations, sign-ins, what happened."""
    found, rows = _demand_seen(request, person_id)
    today = clock.today()
    may_manage = permissions.may_manage_person(request.user, found, rows)
    shown = [row for row in rows if permissions.may_see_role(request.user, row)]
    context = {
        "person": found,
        "rows": [
            {
                "held": row,
                "is_open": row.valid_to is None or row.valid_to > today,
                "holds": permissions.holds_on(row, today),
            }
            for row in shown
        ],
        "works_elsewhere": len(shown) < len(rows),
        "given": [
            row for row in queries.delegations_given_by(found) if permissions.may_see_role(request.user, row)
        ],
        "may_manage": may_manage,
        "second_factor": queries.second_factor_of(found),
        "identities": found.external_identities.all(),
        "sign_ins": queries.sign_ins_of(found) if may_manage else (),
        "links": found.invitations.filter(purpose=InvitationPurpose.RESET, used_at=None, revoked_at=None),
        "entries": recording.history_of(kind="accounts.user", key=str(found.pk), limit=ENTRIES_SHOWN)
        if may_manage
        else (),
    }
    return render(request, "accounts/person.html", context)


@never_cache
@permissions.requires("manage_people")
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    """Invite a person: role, unit, name; the link is shown on the next page, once."""
    role, context = _choice_of_unit(request)
    form = InviteForm(request.POST or None, units=context["units"])
    if role and request.method == "POST" and form.is_valid():
        kind, code = form.unit_parts()
        new = operations.NewPerson(
            full_name=form.cleaned_data["full_name"],
            email=form.cleaned_data["email"],
            role=role,
            unit_kind=kind,
            unit_code=code,
            role_until=form.cleaned_data["until"],
        )
        try:
            invitation, raw = operations.invite(new=new, by=request.user)
        except operations.InvitationRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            return _show_link(request, invitation, raw)
    return render(request, "accounts/invite.html", context | {"form": form})


@permissions.requires("manage_people")
@require_http_methods(["GET", "HEAD", "POST"])
def give_role(request: HttpRequest, person_id: int) -> HttpResponse:
    """Give a further role to a person."""
    found, _rows = _demand_seen(request, person_id)
    role, context = _choice_of_unit(request)
    form = RoleForm(request.POST or None, units=context["units"])
    if role and request.method == "POST" and form.is_valid():
        kind, code = form.unit_parts()
        try:
            operations.give_role(
                person=found,
                role=role,
                unit_kind=kind,
                unit_code=code,
                until=form.cleaned_data["until"],
                by=request.user,
            )
        except operations.AssignmentRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("%(name)s has the role from today.") % {"name": found})
            return redirect("accounts:person", found.pk)
    return render(request, "accounts/give_role.html", context | {"form": form, "person": found})


@permissions.requires("manage_people")
@require_POST
def end_role(request: HttpRequest, person_id: int, assignment_id: int) -> HttpResponse:
    """End a role of a person from today."""
    row = queries.role(assignment_id)
    if row is None or row.user_id != person_id:
        raise Http404
    operations.take_role(assignment=row, by=request.user)
    messages.success(request, _("The role has ended."))
    still_seen = any(permissions.may_see_role(request.user, held) for held in queries.all_roles_of(row.user))
    if still_seen or _is_ministry(request.user):
        return redirect("accounts:person", person_id)
    return redirect("accounts:people")


@permissions.requires("manage_people")
@require_POST
def switch(request: HttpRequest, person_id: int) -> HttpResponse:
    """Switch an account off or on."""
    found, _rows = _demand_seen(request, person_id)
    is_active = request.POST.get("to") == "on"
    operations.switch_account(person=found, is_active=is_active, by=request.user)
    sentence = (
        _("The account of %(name)s is switched on.")
        if is_active
        else _("The account of %(name)s is switched off and signed out everywhere.")
    )
    messages.success(request, sentence % {"name": found})
    return redirect("accounts:person", person_id)


@permissions.requires("manage_people")
@require_POST
def reset(request: HttpRequest, person_id: int) -> HttpResponse:
    """Make a link with which a person sets a new password."""
    found, _rows = _demand_seen(request, person_id)
    invitation, raw = operations.reset_sign_in(person=found, by=request.user)
    return _show_link(request, invitation, raw)


@permissions.requires("manage_people")
@require_POST
def fresh_totp(request: HttpRequest, person_id: int) -> HttpResponse:
    """Forget a person's authenticator app."""
    found, _rows = _demand_seen(request, person_id)
    operations.require_fresh_totp(person=found, by=request.user)
    sentence = _("The app of %(name)s is forgotten; a new one is set up at the next sign-in.")
    messages.success(request, sentence % {"name": found})
    return redirect("accounts:person", person_id)


@require_GET
@permissions.requires("manage_people")
def invitations(request: HttpRequest) -> HttpResponse:
    """List the links that officers gave within this officer's charge."""
    found = queries.invitations_in_charge_of(request.user)
    page = Paginator(found, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "accounts/invitations.html", {"page": page})


@never_cache
@require_GET
@permissions.requires("manage_people")
def invitation(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Show one link: right after it was made with its secret, later without."""
    found = _demand_invitation(request, invitation_id)
    secret = entering.take_to_show(request, f"link{found.pk}")
    address = request.build_absolute_uri(reverse("accounts:open_link", args=[secret])) if secret else ""
    context = {
        "invitation": found,
        "is_new": found.purpose == InvitationPurpose.NEW_ACCOUNT,
        "address": address,
        "message": _message(found, address) if secret else "",
        "drawing": qr_drawing(address) if secret else "",
    }
    return render(request, "accounts/invitation.html", context)


@permissions.requires("manage_people")
@require_POST
def revoke_invitation(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Revoke a link."""
    found = _demand_invitation(request, invitation_id)
    operations.revoke_invitation(invitation=found, by=request.user)
    messages.success(request, _("The link was revoked; it opens nothing any more."))
    return redirect("accounts:invitation", invitation_id)


def _show_link(request: HttpRequest, made: Invitation, raw: str) -> HttpResponse:
    """Lead to the page that shows the secret of a new link, once."""
    entering.keep_to_show(request, f"link{made.pk}", raw)
    return redirect("accounts:invitation", made.pk)


def _demand_seen(request: HttpRequest, person_id: int) -> tuple[User, list[Assignment]]:
    """Give a person of whom at least one role is the officer's business; refuse every other as a stranger's."""
    found = queries.person(person_id)
    if found is None:
        raise Http404
    rows = queries.all_roles_of(found)
    if _is_ministry(request.user) or any(permissions.may_see_role(request.user, row) for row in rows):
        return found, rows
    raise _stranger(request)


def _demand_invitation(request: HttpRequest, invitation_id: int) -> Invitation:
    """Give a link that the officer made, or that is for somebody in their charge."""
    found = queries.invitation(invitation_id)
    if found is None:
        raise Http404
    if found.invited_by_id == request.user.pk:
        return found
    if found.purpose == InvitationPurpose.RESET and found.person is not None:
        may = permissions.may_manage_person(request.user, found.person, queries.all_roles_of(found.person))
    else:
        may = permissions.may_give(request.user, found.role, found.unit_kind, found.unit_code)
    if not may:
        raise _stranger(request)
    return found


def _stranger(request: HttpRequest) -> NotAllowed:
    """Make the refusal for a person of another unit."""
    return NotAllowed(
        _("This person is not in your charge."), whom_to_ask=permissions.whom_to_ask(request.user)
    )


def _is_ministry(user: Any) -> bool:
    """Tell whether an officer of the ministry asks."""
    return Role.MINISTRY_EXPERT in permissions.scope_of(user).roles


def _choice_of_unit(request: HttpRequest) -> tuple[str, dict[str, Any]]:
    """Read the role and the search for a unit from the address; give the role and what the form offers."""
    roles = permissions.roles_given_by(request.user)
    wanted = request.GET.get("role", "")
    role = wanted if wanted in roles else (roles[0] if len(roles) == 1 else "")
    search = request.GET.get("q", "").strip()[:80]
    units = unit_choices(request.user, role, search) if role else []
    names = {str(given.value): str(given.label) for given in roles}
    return str(role), {
        "roles": roles,
        "role": str(role),
        "role_name": names.get(str(role), ""),
        "search": search,
        "units": units,
    }


def _message(made: Invitation, address: str) -> str:
    """Write the message that an officer sends along with a link, by Zalo or on paper."""
    facts = {
        "name": made.full_name,
        "role": made.get_role_display() if made.role else "",
        "unit": made.unit_name or made.unit_code or _("Whole country"),
        "moment": formats.moment_text(made.expires_at),
        "address": address,
    }
    if made.purpose == InvitationPurpose.RESET:
        text = _(
            "Dear %(name)s, please open this link to set a new password for Diện Rộng. "
            "It works once, until %(moment)s:\n%(address)s\nPlease do not pass it on."
        )
    else:
        text = _(
            "Dear %(name)s, you are invited to Diện Rộng as %(role)s – %(unit)s. "
            "Please open this link to make your account. It works once, until %(moment)s:\n%(address)s\n"
            "Please do not pass it on."
        )
    return text % facts
