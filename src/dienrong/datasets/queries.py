"""Reads of the room; what may be seen is decided here, once."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import Count, QuerySet
from django.urls import reverse

from dienrong.accounts import permissions
from dienrong.analysis import queries as runs
from dienrong.analysis.models import AnalysisRun
from dienrong.core import clock, sealing, text
from dienrong.datasets import kept, numeric
from dienrong.datasets.models import DataRequest, Download, Freeze, Grant, LinkMiss, Release

SHOWN = (Release.State.PUBLISHED,)
TOKEN_PURPOSE, ADDRESS_PURPOSE = "datasets.token", "datasets.address"
SPAN = datetime.timedelta(minutes=15)
MOST_DOWNLOADS, MOST_REQUESTS, MOST_MISSES = 120, 5, 5


def releases() -> QuerySet[Release]:
    """List every release with what its pages need."""
    return Release.objects.select_related("freeze__run__cycle", "made_by", "reviewed_by")


def published() -> QuerySet[Release]:
    """List the releases that everybody sees, the newest first."""
    return releases().filter(state__in=SHOWN).order_by("-published_at", "-pk")


def release_for(user: Any, key: int) -> Release | None:
    """Give a release that a person may read about: published ones everybody, others the ministry."""
    found = releases().filter(pk=key).first()
    if found is None:
        return None
    if found.state in SHOWN or permissions.may(user, "manage_datasets"):
        return found
    return None


def releases_to_review(user: Any) -> QuerySet[Release]:
    """List the releases that wait for somebody other than who made them."""
    return releases().filter(state=Release.State.BUILT).exclude(made_by_id=getattr(user, "pk", None))


def freezes() -> QuerySet[Freeze]:
    """List the freezes with the number of their releases."""
    found = Freeze.objects.select_related("run__cycle", "frozen_by")
    return found.annotate(n_releases=Count("releases"))


def freeze_of(key: int) -> Freeze | None:
    """Give a freeze by its key."""
    return Freeze.objects.select_related("run__cycle").filter(pk=key).first()


def runs_to_freeze() -> list[tuple[str, AnalysisRun, int]]:
    """List the grades of finished runs that are not frozen yet, each under ``run:grade``."""
    taken = set(Freeze.objects.values_list("run_id", "grade"))
    done = AnalysisRun.objects.filter(state=AnalysisRun.State.DONE).select_related("cycle")
    return [
        (f"{run.pk}:{grade}", run, grade)
        for run in done.order_by("-finished_at", "-pk")
        for grade in run.cycle.grades.values_list("grade", flat=True)
        if (run.pk, grade) not in taken
    ]


def manifests_of(run: AnalysisRun, grade: int) -> dict[str, str]:
    """Name the manifests of one grade of a run by stage."""
    rows = run.stages.filter(grade=grade).values_list("stage", "manifest_id")
    return {str(stage): str(manifest) for stage, manifest in rows}


def store_path(release: Release) -> Path:
    """Give the folder of the store that a release is made from."""
    return runs.store_path(release.freeze.run.cycle)


def waiting_requests() -> QuerySet[DataRequest]:
    """List the requests that wait for a decision, the oldest first."""
    return requests_all().filter(state=DataRequest.State.WAITING)


def requests_all() -> QuerySet[DataRequest]:
    """List every request."""
    return DataRequest.objects.select_related("release__freeze__run__cycle", "decided_by", "user")


def request_of(key: int) -> DataRequest | None:
    """Give a request by its key."""
    return requests_all().filter(pk=key).first()


def own_requests(user: Any) -> QuerySet[DataRequest]:
    """List the requests that a signed-in person made."""
    if not getattr(user, "is_authenticated", False):
        return DataRequest.objects.none()
    return requests_all().filter(user_id=user.pk).order_by("-asked_at")


def grant_of(key: int) -> Grant | None:
    """Give a grant by its key."""
    return Grant.objects.select_related("request__release__freeze__run__cycle").filter(pk=key).first()


def grant_by_token(token: str) -> Grant | None:
    """Find a grant by the token of its link; the token itself is kept nowhere."""
    found = Grant.objects.select_related("request__release__freeze__run__cycle")
    return found.filter(token_digest=token_digest(token)).first()


def token_digest(token: str) -> str:
    """Give the digest under which a link is known."""
    return sealing.keyed_digest(TOKEN_PURPOSE, token)


def address_digest(address: str) -> str:
    """Give the digest under which an address is counted."""
    return sealing.keyed_digest(ADDRESS_PURPOSE, address)


def is_download_locked(address: str) -> bool:
    """Tell whether an address took too many files of late."""
    recent = Download.objects.filter(address_digest=address_digest(address), at__gt=clock.now() - SPAN)
    return bool(recent.count() >= MOST_DOWNLOADS)


def is_request_locked(address: str) -> bool:
    """Tell whether an address sent too many requests of late."""
    since = clock.now() - datetime.timedelta(days=1)
    recent = DataRequest.objects.filter(address_digest=address_digest(address), asked_at__gt=since)
    return bool(recent.count() >= MOST_REQUESTS)


def is_link_locked(grant: Grant) -> bool:
    """Tell whether too many wrong e-mails were tried on a link of late."""
    recent = LinkMiss.objects.filter(token_digest=grant.token_digest, at__gt=clock.now() - SPAN)
    return bool(recent.count() >= MOST_MISSES)


def is_holder(grant: Grant, email: str) -> bool:
    """Tell whether an e-mail is that of the person whose link this is."""
    return text.clean_text(email).lower() == grant.request.email.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFile:
    """A published file for lists of other rooms."""

    title: str
    version: str
    cycle: str
    grade: int
    name: str
    n_bytes: int
    sha256: str
    url: str
    page_url: str
    license_name: str
    published_at: datetime.datetime


def public_files() -> list[PublicFile]:
    """List the archives of public-use files that anybody may have, the newest first."""
    return [
        PublicFile(
            title=title_of(one),
            version=one.version,
            cycle=one.freeze.run.cycle.name,
            grade=one.freeze.grade,
            name=one.archive_name,
            n_bytes=one.n_bytes,
            sha256=one.archive_hash,
            url=reverse("datasets:file", args=[one.pk, one.archive_name]),
            page_url=reverse("datasets:release", args=[one.pk]),
            license_name=one.license_name,
            published_at=one.published_at,
        )
        for one in published().filter(kind=Release.Kind.PUBLIC)
    ]


def title_of(release: Release) -> str:
    """Give the title of a release in the reader's language."""
    from django.utils.translation import get_language

    is_english = (get_language() or "vi").startswith("en")
    return release.title_en if is_english else release.title_vi


def stems_of(release: Release) -> tuple[str, ...]:
    """Name the data files of a release."""
    names = set(release.files.values_list("name", flat=True))
    return tuple(stem for stem in numeric.STEMS.values() if f"{stem}.codebook.json" in names)


def find_variables(release: Release, search: str, file: str) -> list[numeric.VariableCard]:
    """Find variables by words of their name or labels; accents are ignored."""
    cards = numeric.codebook_cards(kept.folder_of(release), stems_of(release))
    wanted = text.search_key(search)
    return [
        card
        for card in cards
        if (not file or card.file == file)
        and (not wanted or wanted in text.search_key(f"{card.name} {card.label_vi} {card.label_en}"))
    ]
