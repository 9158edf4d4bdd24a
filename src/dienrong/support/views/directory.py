"""Pages of the directory."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dienrong.accounts import permissions
from dienrong.accounts.permissions import requires
from dienrong.core.refusals import NotAllowed
from dienrong.core.text import search_key
from dienrong.followup.queries.access import own_units
from dienrong.support import access, operations
from dienrong.support.forms import ContactForm
from dienrong.support.models import Contact
from dienrong.support.operations import ContactFacts
from dienrong.support.views import parts

FACTS = ("full_name", "position", "duty", "phone", "email")


@require_safe
@requires("ask_questions")
def contacts(request: HttpRequest) -> HttpResponse:
    """List whom the person may reach."""
    found = access.contacts_of(request.user)
    for word in search_key(request.GET.get("q", "")).split():
        found = found.filter(search_key__contains=word)
    page = parts.page_of(request, found)
    own = set(own_units(request.user))
    context = {
        "tabs": parts.tabs(request),
        "page": page,
        "rows": [
            {"contact": one, "is_own": (one.unit_kind, one.unit_code) in own} for one in page.object_list
        ],
        "wanted": request.GET.get("q", ""),
    }
    return render(request, "support/contacts.html", context)


def _own(request: HttpRequest, key: int) -> Contact:
    """Give a contact of the own unit; refuse those of others."""
    found = Contact.objects.filter(pk=key).first()
    if found is None:
        raise Http404
    if (found.unit_kind, found.unit_code) not in own_units(request.user):
        raise NotAllowed(
            _("This contact is kept by the staff of %(unit)s.") % {"unit": found.unit_name},
            whom_to_ask=permissions.whom_to_ask(request.user),
        )
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@requires("ask_questions")
def save(request: HttpRequest, contact_id: int = 0) -> HttpResponse:
    """Add a contact of the own unit, or change one."""
    row = _own(request, contact_id) if contact_id else None
    initial = {name: getattr(row, name) for name in FACTS} if row is not None else {}
    form = ContactForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        facts = ContactFacts(**form.cleaned_data)
        if parts.tried(form, lambda: operations.save_contact(facts=facts, by=request.user, contact=row)):
            messages.success(request, _("Saved."))
            return redirect("support:contacts")
    return parts.form_page(
        request,
        form,
        title=_("Contact of my unit"),
        button=_("Save"),
        back=reverse("support:contacts"),
        delete_url=reverse("support:delete_contact", args=[row.pk]) if row is not None else "",
    )


@require_POST
@requires("ask_questions")
def delete(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Take a contact of the own unit out of the directory."""
    operations.delete_contact(contact=_own(request, contact_id), by=request.user)
    messages.success(request, _("The contact was taken out of the directory."))
    return redirect("support:contacts")
