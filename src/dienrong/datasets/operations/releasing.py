"""Releases: asked for, built in the background, reviewed by a second person, published, withdrawn."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import demand
from dienrong.audit.operations import record
from dienrong.core import clock, sealing
from dienrong.core.refusals import NotAllowed
from dienrong.datasets import describing, kept, numeric, queries
from dienrong.datasets.models import Freeze, Release, ReleaseFile
from dienrong.datasets.operations.refusals import DatasetsRefusal, NotNow, demand_text
from dienrong.jobs.operations import enqueue
from dienrong.registry.queries import province_names

STATE = Release.State
JOB = "datasets.build"
KEY_PURPOSE, SWAPS_PURPOSE = "datasets.pseudonyms", "datasets.swaps"
Progress = Callable[[str, float], None]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """What a person asks of a release; an empty plan is the one that comes with the software."""

    kind: str
    version: str
    title_vi: str
    title_en: str
    license_name: str = "CC BY 4.0"
    license_url: str = "https://creativecommons.org/licenses/by/4.0/"
    doi: str = ""
    errata: str = ""
    formats: tuple[str, ...] = ("sav", "dta", "csv", "parquet")
    with_responses: bool = True
    plan_text: str = ""


@transaction.atomic
def make_release(
    *, freeze: Freeze, facts: ReleaseFacts, by: Any | None, in_background: bool = True
) -> Release:
    """Write down a release and put its build into the queue, unless the caller builds it.

    Raises
    ------
    DatasetsRefusal
        If the plan cannot be used, a title is missing, or a format is unknown.
    NotNow
        If this version of the kind exists already.
    """
    if by is not None:
        demand(by, "manage_datasets")
    plan = facts.plan_text.strip() or numeric.shipped_plan(facts.kind)
    refusal = numeric.plan_refusal(plan, facts.kind)
    if refusal:
        raise DatasetsRefusal(
            _("The plan of disclosure control cannot be used: %(why)s") % {"why": refusal},
            hint=_("Correct the plan, or leave it empty for the one that comes with the software."),
        )
    if not set(facts.formats) <= set(numeric.FORMATS) or not {"sav", "csv"} & set(facts.formats):
        raise DatasetsRefusal(_("Choose SPSS or CSV among the formats; the scripts of proof read them."))
    version = demand_text(facts.version, _("Write the version, such as 1.0."))[:20]
    if Release.objects.filter(freeze=freeze, kind=facts.kind, version=version).exists():
        raise NotNow(
            _("Version %(version)s of these files exists already.") % {"version": version},
            hint=_("Give the next version, and say what changed."),
        )
    release = Release.objects.create(
        freeze=freeze,
        kind=facts.kind,
        version=version,
        title_vi=demand_text(facts.title_vi, _("Write the title in Vietnamese."))[:200],
        title_en=demand_text(facts.title_en, _("Write the title in English."))[:200],
        license_name=demand_text(facts.license_name, _("Write the license."))[:120],
        license_url=facts.license_url.strip()[:200],
        doi=facts.doi.strip()[:120],
        errata=facts.errata.strip(),
        formats=",".join(facts.formats),
        with_responses=facts.with_responses,
        plan_text=plan,
        seed=_seed(freeze, facts.kind, version),
        made_at=clock.now(),
        made_by=by,
    )
    refused = describing.refusal_of(release)
    if refused:
        raise DatasetsRefusal(refused)
    if in_background:
        _enqueue(release, by)
    record(
        action="datasets.release_made", actor=by, obj=release,
        after={"kind": release.kind, "version": version, "freeze": freeze.content_hash, "plan": _digest(plan)},
    )  # fmt: skip
    return release


def _digest(text: str) -> str:
    """Name a text by its hash."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _seed(freeze: Freeze, kind: str, version: str) -> int:
    """Derive the seed of swaps from a secret: nobody outside can repeat them, and a rebuild gives the same."""
    digest = sealing.keyed_digest("datasets.seed", f"{freeze.content_hash}/{kind}/{version}")
    return int(digest[:15], 16)


def _enqueue(release: Release, by: Any | None) -> None:
    """Put the build into the queue."""
    release.job_id = str(enqueue(JOB, {"release_id": release.pk}, by=by).pk)
    release.save(update_fields=["job_id"])


@transaction.atomic
def rebuild_release(*, release: Release, plan_text: str, by: Any) -> Release:
    """Build again what the plan refused or the reviewer sent back, under a corrected plan.

    Raises
    ------
    NotNow
        If the release waits, is approved or published: what others saw is never rebuilt, a new version is made.
    DatasetsRefusal
        If the plan cannot be used.
    """
    demand(by, "manage_datasets")
    release = _locked(release.pk)
    if release.state not in {STATE.FAILED, STATE.RETURNED}:
        raise NotNow(_("Only files that were refused or sent back are built again."))
    refusal = numeric.plan_refusal(plan_text, release.kind)
    if refusal:
        raise DatasetsRefusal(_("The plan of disclosure control cannot be used: %(why)s") % {"why": refusal})
    release.plan_text, release.state, release.refusal = plan_text, STATE.BUILDING, ""
    release.made_by, release.reviewed_by, release.reviewed_at = by, None, None
    release.save()
    _enqueue(release, by)
    record(
        action="datasets.release_made",
        actor=by,
        obj=release,
        after={"plan": _digest(plan_text), "again": True},
    )
    return release


def build_release(*, release: Release, progress: Progress) -> Release:
    """Build the files of a release; run again after a crash it starts anew, and one that is built is left alone."""
    if release.state != STATE.BUILDING:
        return release
    kept.clear(release)
    freeze = release.freeze
    order = numeric.BuildOrder(
        store_path=queries.store_path(release),
        hashes=tuple(freeze.artefacts.values_list("role", "artefact_hash")),
        grade=freeze.grade,
        provinces=tuple(sorted(province_names(clock.today()).items())),
        plan_text=release.plan_text,
        seed=release.seed,
        key=bytes.fromhex(sealing.keyed_digest(KEY_PURPOSE, release.slug)),
        purpose=f"{release.slug}/{release.version}",
        formats=tuple(release.formats.split(",")),
        with_responses=release.with_responses,
        description=describing.description_of(release),
    )
    built = numeric.build(order, kept.folder_of(release), kept.archive_of(release), progress=progress)
    if built.swaps_csv:
        kept.swaps_of(release).write_bytes(sealing.seal(SWAPS_PURPOSE, built.swaps_csv))
    return _finish(release.pk, built)


@transaction.atomic
def _finish(key: int, built: numeric.Built) -> Release:
    """Keep how a build ended."""
    release = _locked(key)
    if release.state != STATE.BUILDING:
        return release
    release.built_at, release.refusal = clock.now(), built.refusal
    release.state = STATE.FAILED if built.refusal else STATE.BUILT
    release.archive_name, release.n_bytes, release.archive_hash = built.archive
    release.save()
    release.files.all().delete()
    ReleaseFile.objects.bulk_create(
        ReleaseFile(release=release, name=name, n_bytes=n_bytes, sha256=digest)
        for name, n_bytes, digest in built.files
    )
    action = "datasets.release_failed" if built.refusal else "datasets.release_built"
    after = {"archive": release.archive_hash, "files": len(built.files), "refusal": release.refusal}
    record(action=action, actor=release.made_by, obj=release, after=after)
    return release


def _locked(key: int) -> Release:
    """Give a release as it is now, held until the end of the transaction."""
    found = Release.objects.select_for_update(of=("self",))
    return found.select_related("freeze__run__cycle", "made_by").get(pk=key)


def changed_file(release: Release) -> str:
    """Name the first file of a release that is gone or was changed; empty where all are whole."""
    for one in release.files.all():
        path = kept.folder_of(release) / one.name
        if not kept.is_whole(path, one.n_bytes) or numeric.file_hash(path) != one.sha256:
            return str(one.name)
    archive = kept.archive_of(release)
    if not kept.is_whole(archive, release.n_bytes) or numeric.file_hash(archive) != release.archive_hash:
        return str(release.archive_name)
    return ""


@transaction.atomic
def review_release(*, release: Release, is_approved: bool, note: str, by: Any) -> Release:
    """Approve files or send them back, as somebody other than who made them.

    Raises
    ------
    NotAllowed
        If the reviewer made them.
    NotNow
        If they do not wait for a review, or a file was changed since the build.
    DatasetsRefusal
        If they are sent back without a word.
    """
    demand(by, "manage_datasets")
    release = _locked(release.pk)
    if release.state != STATE.BUILT:
        raise NotNow(_("These files do not wait for a review."))
    if release.made_by_id == by.pk:
        raise NotAllowed(
            _("Whoever made the files does not approve them."),
            whom_to_ask=_("Please ask another expert of the Ministry."),
        )
    if is_approved:
        _demand_whole(release)
    release.review_note = (
        note.strip()[:500] if is_approved else demand_text(note, _("Write what has to change."))[:500]
    )
    release.state = STATE.APPROVED if is_approved else STATE.RETURNED
    release.reviewed_by, release.reviewed_at = by, clock.now()
    release.save()
    action = "datasets.release_approved" if is_approved else "datasets.release_returned"
    record(
        action=action,
        actor=by,
        obj=release,
        after={"note": release.review_note, "archive": release.archive_hash},
    )
    return release


def _demand_whole(release: Release) -> None:
    """Refuse files that are gone or changed."""
    name = changed_file(release)
    if name:
        raise NotNow(
            _("The file %(name)s is gone or was changed since it was built.") % {"name": name},
            hint=_("Send the files back and build them again."),
        )


@transaction.atomic
def publish_release(*, release: Release, by: Any) -> Release:
    """Publish approved files: public ones may be had by everybody, restricted ones asked for by everybody.

    Raises
    ------
    NotNow
        If they are not approved, or a file was changed since.
    """
    demand(by, "manage_datasets")
    release = _locked(release.pk)
    if release.state != STATE.APPROVED:
        raise NotNow(_("Only approved files are published."), hint=_("A second person approves them first."))
    _demand_whole(release)
    release.state, release.published_at = STATE.PUBLISHED, clock.now()
    release.save(update_fields=["state", "published_at"])
    record(
        action="datasets.release_published", actor=by, obj=release, after={"archive": release.archive_hash}
    )
    return release


@transaction.atomic
def withdraw_release(*, release: Release, reason: str, by: Any) -> Release:
    """Withdraw published files: nobody takes them from now on, open links included; the page says so to the ministry.

    Raises
    ------
    NotNow
        If they are not published.
    DatasetsRefusal
        If no reason is written.
    """
    demand(by, "manage_datasets")
    release = _locked(release.pk)
    if release.state != STATE.PUBLISHED:
        raise NotNow(_("These files are not published."))
    release.withdrawn_reason = demand_text(reason, _("Write why the files are withdrawn."))[:300]
    release.state, release.withdrawn_at = STATE.WITHDRAWN, clock.now()
    release.save(update_fields=["state", "withdrawn_at", "withdrawn_reason"])
    record(
        action="datasets.release_withdrawn", actor=by, obj=release, after={"reason": release.withdrawn_reason}
    )
    return release
