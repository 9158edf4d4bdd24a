"""Requests for restricted files, by anybody; and the count of public downloads."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.datasets import queries
from dienrong.datasets.models import DataRequest, Download, Grant, Release
from dienrong.datasets.operations.refusals import DatasetsRefusal, NotNow, TooMany, demand_text

LEAST_PURPOSE = 40


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RequestFacts:
    """What a person writes who asks for restricted data."""

    full_name: str
    email: str
    institution: str
    purpose: str
    ethics: str = ""
    is_undertaken: bool = False


@transaction.atomic
def ask_for_data(*, release: Release, facts: RequestFacts, address: str, by: Any | None) -> DataRequest:
    """Write down a request for restricted files.

    Raises
    ------
    NotNow
        If the files are not restricted and published, or this person's request waits already.
    DatasetsRefusal
        If the undertaking is not given, or the purpose is not stated.
    TooMany
        If too many requests came from the address today.
    """
    if release.state != Release.State.PUBLISHED or release.is_public:
        raise NotNow(_("These files are not on offer."))
    if queries.is_request_locked(address):
        raise TooMany(_("Too many requests came from here today."), hint=_("Please try again tomorrow."))
    if not facts.is_undertaken:
        raise DatasetsRefusal(
            _("Without the undertaking no restricted data are given."),
            hint=_("Read it and tick the box."),
        )
    purpose = demand_text(facts.purpose, _("Write what the data are needed for."))
    if len(purpose) < LEAST_PURPOSE:
        raise DatasetsRefusal(
            _("The purpose is too short to decide on."),
            hint=_("Name the question, the variables and the method."),
        )
    email = demand_text(facts.email, _("Write the e-mail.")).lower()
    waiting = DataRequest.objects.filter(release=release, email=email, state=DataRequest.State.WAITING)
    if waiting.exists():
        raise NotNow(_("A request of this e-mail waits already."), hint=_("The answer comes to that e-mail."))
    now = clock.now()
    request = DataRequest.objects.create(
        release=release,
        full_name=demand_text(facts.full_name, _("Write the full name."))[:120],
        email=email,
        institution=demand_text(facts.institution, _("Write the institution."))[:200],
        purpose=purpose,
        ethics=facts.ethics.strip()[:300],
        undertaken_at=now,
        user=by if getattr(by, "is_authenticated", False) else None,
        asked_at=now,
        address_digest=queries.address_digest(address),
    )
    record(action="datasets.requested", actor=request.user, obj=request, after={"release": release.pk})
    return request


@transaction.atomic
def note_download(*, release: Release, name: str, address: str, grant: Grant | None = None) -> Download:
    """Count a download.

    Raises
    ------
    TooMany
        If too many files went to the address within a quarter of an hour.
    """
    if queries.is_download_locked(address):
        raise TooMany(
            _("Too many files were taken from here just now."),
            hint=_("Please go on in a quarter of an hour."),
        )
    return Download.objects.create(
        release=release,
        grant=grant,
        name=name[:80],
        at=clock.now(),
        address_digest=queries.address_digest(address),
    )
