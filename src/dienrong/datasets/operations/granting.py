"""Decisions on requests; personal links: made, renewed, revoked, used, and the end of the copies."""

from __future__ import annotations

import datetime
import secrets
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import demand
from dienrong.audit.operations import record
from dienrong.core import clock, formats
from dienrong.datasets import kept, numeric, queries
from dienrong.datasets.models import DataRequest, Grant, LinkMiss, Release
from dienrong.datasets.operations.refusals import DatasetsRefusal, NotNow, TooMany, demand_text
from dienrong.datasets.operations.requesting import note_download

DAYS, DOWNLOADS = (1, 365), (1, 20)


@transaction.atomic
def decide_grant(
    *, request: DataRequest, n_days: int, most_downloads: int, note: str = "", by: Any
) -> tuple[Grant, str]:
    """Grant a request: give the grant and the token of its link, which is shown once and kept nowhere.

    Raises
    ------
    NotNow
        If the request was decided, the files are withdrawn, or whoever decides asked for them.
    DatasetsRefusal
        If days or downloads are out of bounds.
    """
    demand(by, "manage_datasets")
    request = _waiting(request.pk, by)
    if request.release.state != Release.State.PUBLISHED:
        raise NotNow(_("These files are not on offer."))
    request.state, request.decided_at, request.decided_by = DataRequest.State.GRANTED, clock.now(), by
    request.decision_note = note.strip()[:500]
    request.save(update_fields=["state", "decided_at", "decided_by", "decision_note"])
    grant, token = _new_grant(request, n_days, most_downloads, by)
    record(
        action="datasets.granted", actor=by, obj=request,
        after={"copy": grant.copy_id, "until": grant.expires_at.isoformat(), "downloads": most_downloads},
    )  # fmt: skip
    return grant, token


@transaction.atomic
def decide_refusal(*, request: DataRequest, reason: str, by: Any) -> DataRequest:
    """Refuse a request, with the reason.

    Raises
    ------
    NotNow
        If the request was decided, or whoever decides asked for the files.
    DatasetsRefusal
        If no reason is written.
    """
    demand(by, "manage_datasets")
    request = _waiting(request.pk, by)
    request.decision_note = demand_text(reason, _("Write why the request is refused."))[:500]
    request.state, request.decided_at, request.decided_by = DataRequest.State.REFUSED, clock.now(), by
    request.save(update_fields=["state", "decided_at", "decided_by", "decision_note"])
    record(action="datasets.refused", actor=by, obj=request, after={"reason": request.decision_note})
    return request


def _waiting(key: int, by: Any) -> DataRequest:
    """Give a request that waits, held; refuse one that was decided or is the person's own."""
    found = DataRequest.objects.select_for_update(of=("self",)).select_related("release__freeze__run__cycle")
    request = found.get(pk=key)
    if request.state != DataRequest.State.WAITING:
        raise NotNow(_("This request was decided already."))
    if request.user_id is not None and request.user_id == by.pk:
        raise NotNow(
            _("Nobody decides on a request of their own."),
            hint=_("Please ask another expert of the Ministry."),
        )
    return request


def _new_grant(request: DataRequest, n_days: int, most_downloads: int, by: Any) -> tuple[Grant, str]:
    """Make a grant with a new link and pack its copy."""
    if not DAYS[0] <= n_days <= DAYS[1] or not DOWNLOADS[0] <= most_downloads <= DOWNLOADS[1]:
        raise DatasetsRefusal(
            _("A link holds for 1 to 365 days and for 1 to 20 downloads."), hint=_("Correct the two numbers.")
        )
    token = secrets.token_urlsafe(32)
    grant = Grant.objects.create(
        request=request,
        token_digest=queries.token_digest(token),
        copy_id=f"{request.release.pk}-{secrets.token_hex(5)}",
        made_at=clock.now(),
        made_by=by,
        expires_at=clock.now() + datetime.timedelta(days=n_days),
        most_downloads=most_downloads,
    )
    return grant, token


def _paper(grant: Grant) -> str:
    """Write the paper that goes with a copy: whose it is and what was promised."""
    request = grant.request
    return "\n".join(
        [
            f"Mã bản sao / Copy: {grant.copy_id}",
            f"Người nhận / Holder: {request.full_name}, {request.institution}, {request.email}",
            f"Tệp / Files: {request.release.title_vi} {request.release.version}",
            f"SHA-256: {request.release.archive_hash}",
            f"Hạn sử dụng / Until: {formats.day_text(grant.expires_at)}",
            "Không chia sẻ bản sao này; không tìm cách nhận ra học sinh, giáo viên, trường; hủy khi hết hạn.",
            "Do not share this copy; do not try to identify students, teachers or schools; destroy it at the end.",
            "",
        ]
    )


def ensure_copy(grant: Grant) -> None:
    """Pack the personal copy of a grant where it is not packed yet; the data in it are those of everybody."""
    target = kept.copy_of(grant)
    if grant.archive_hash and kept.is_whole(target, grant.n_bytes):
        return
    release = grant.request.release
    _name, n_bytes, digest = numeric.personal_copy(
        kept.folder_of(release), target, name=f"BAN-SAO-{grant.copy_id}.txt", paper=_paper(grant)
    )
    grant.n_bytes, grant.archive_hash = n_bytes, digest
    grant.save(update_fields=["n_bytes", "archive_hash"])


def take_copy(*, grant: Grant, email: str, address: str) -> Grant:
    """Count a download through a personal link, and give the grant whose copy may go out.

    Raises
    ------
    TooMany
        If too many wrong e-mails were tried on the link.
    DatasetsRefusal
        If the e-mail is not the holder's.
    NotNow
        If the link is used up, expired or revoked, or the files are withdrawn.
    """
    if queries.is_link_locked(grant):
        raise TooMany(
            _("Too many wrong e-mails were tried on this link."),
            hint=_("Please try again in a quarter of an hour."),
        )
    if not queries.is_holder(grant, email):
        LinkMiss.objects.create(
            token_digest=grant.token_digest, address_digest=queries.address_digest(address), at=clock.now()
        )
        raise DatasetsRefusal(
            _("This link belongs to another e-mail."), hint=_("Type the e-mail of the request.")
        )
    with transaction.atomic():
        held = _grant(grant.pk)
        if held.state != "open" or held.request.release.state != Release.State.PUBLISHED:
            raise NotNow(
                _("This link no longer opens the data."),
                hint=_("Ask the unit that publishes the data to renew it."),
            )
        ensure_copy(held)
        held.n_downloads += 1
        held.save(update_fields=["n_downloads"])
        note_download(release=held.request.release, name=f"{held.copy_id}.zip", address=address, grant=held)
        after = {"copy": held.copy_id, "n": held.n_downloads, "of": held.most_downloads}
        record(action="datasets.downloaded", actor=held.request.user, obj=held.request, after=after)
    return held


def _grant(key: int) -> Grant:
    """Give a grant as it is now, held until the end of the transaction."""
    found = Grant.objects.select_for_update(of=("self",))
    return found.select_related("request__release__freeze__run__cycle").get(pk=key)


@transaction.atomic
def renew_grant(*, grant: Grant, n_days: int, most_downloads: int, by: Any) -> tuple[Grant, str]:
    """Give a new link for the same request; the old one is revoked.

    Raises
    ------
    NotNow
        If the copies were destroyed.
    """
    demand(by, "manage_datasets")
    old = _grant(grant.pk)
    if old.destroyed_at is not None:
        raise NotNow(_("The destruction of this copy was confirmed."), hint=_("A new request is needed."))
    if old.revoked_at is None:
        old.revoked_at, old.revoked_reason = clock.now(), _("Replaced by a new link")
        old.save(update_fields=["revoked_at", "revoked_reason"])
    kept.copy_of(old).unlink(missing_ok=True)
    fresh, token = _new_grant(old.request, n_days, most_downloads, by)
    record(
        action="datasets.renewed", actor=by, obj=old.request, before={"copy": old.copy_id},
        after={"copy": fresh.copy_id, "until": fresh.expires_at.isoformat()},
    )  # fmt: skip
    return fresh, token


@transaction.atomic
def revoke_grant(*, grant: Grant, reason: str, by: Any) -> Grant:
    """Revoke a link at once; its packed copy is removed.

    Raises
    ------
    NotNow
        If it was revoked before.
    DatasetsRefusal
        If no reason is written.
    """
    demand(by, "manage_datasets")
    held = _grant(grant.pk)
    if held.revoked_at is not None:
        raise NotNow(_("This link was revoked already."))
    held.revoked_reason = demand_text(reason, _("Write why the link is revoked."))[:300]
    held.revoked_at = clock.now()
    held.save(update_fields=["revoked_at", "revoked_reason"])
    kept.copy_of(held).unlink(missing_ok=True)
    record(
        action="datasets.revoked",
        actor=by,
        obj=held.request,
        after={"copy": held.copy_id, "reason": held.revoked_reason},
    )
    return held


@transaction.atomic
def confirm_destruction(*, grant: Grant, email: str, note: str) -> Grant:
    """Write down that the holder destroyed every copy; the link is dead from then on.

    Raises
    ------
    DatasetsRefusal
        If the e-mail is not the holder's or nothing is written.
    NotNow
        If it was confirmed before.
    """
    held = _grant(grant.pk)
    if not queries.is_holder(held, email):
        raise DatasetsRefusal(
            _("This link belongs to another e-mail."), hint=_("Type the e-mail of the request.")
        )
    if held.destroyed_at is not None:
        raise NotNow(_("The destruction of this copy was confirmed already."))
    held.destroyed_note = demand_text(note, _("Write how the copies were destroyed."))[:300]
    held.destroyed_at = clock.now()
    held.save(update_fields=["destroyed_at", "destroyed_note"])
    kept.copy_of(held).unlink(missing_ok=True)
    record(
        action="datasets.destroyed", actor=held.request.user, obj=held.request, after={"copy": held.copy_id}
    )
    return held
