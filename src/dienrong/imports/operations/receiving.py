"""A file comes in: kept, opened, its table found, its columns guessed; or refused with the way out."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.core import clock
from dienrong.core.days import read_day
from dienrong.core.recording import ObjectName, record
from dienrong.core.refusals import Conflict, Refusal
from dienrong.core.text import clean_text
from dienrong.imports import kept, matching, queries
from dienrong.imports.columns import Target, target_of
from dienrong.imports.models import Upload
from dienrong.imports.numeric.faults import FileFault
from dienrong.imports.numeric.sheets import Book
from dienrong.imports.numeric.texts import CHARSETS
from dienrong.imports.reading import Layout, as_typed, layout_of
from dienrong.imports.sentences import FileRefused, file_refusal

MEGABYTE = 1 << 20
CHOOSABLE = frozenset({"unknown_charset", "wrong_charset", "no_header", "no_such_sheet"})
SCHOOL_YEAR = re.compile(r"(20[0-9]{2})-(20[0-9]{2})")


class UploadState(Conflict):
    """The upload stands where this step is not possible."""

    code = "imports.state"


class BadParameter(Refusal):
    """What was asked for the whole file is missing or malformed."""

    code = "imports.parameter"


def demand_target(user: Any, target: Target) -> None:
    """Refuse a person who may not import this kind of data.

    Raises
    ------
    SignInFirst, NotAllowed
        The refusal names who may.
    """
    for permission in ("import_data", *target.permissions):
        permissions.demand(user, permission)
    if permissions.scope_of(user).is_empty:
        raise permissions.refusal_for(user, "import_data")


@transaction.atomic
def receive_file(
    *, by: Any, target: Target, file_name: str, data: bytes, params: Mapping[str, Any], charset: str = ""
) -> Upload:
    """Keep a file that a person sends; nothing of the data changes.

    Raises
    ------
    FileRefused
        If the file is too large, or small enough to be opened at once and unreadable; nothing is kept then.
    BadParameter
        If school year or date are missing.
    """
    demand_target(by, target)
    file_name = clean_text(file_name)[-200:] or "?"
    limit = settings.OPTIONS.upload_megabytes
    if len(data) > limit * MEGABYTE:
        fault = FileFault("too_large", size=len(data) / MEGABYTE, limit=limit)
        raise file_refusal(fault, file_name)
    upload = Upload(
        created_by=by,
        unit=queries.unit_of(by),
        target=target.code,
        file_name=file_name,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        charset=charset if charset in CHARSETS else "",
        params=clean_params(target, params),
        is_whole_only=params.get("is_whole_only") in ("1", "on", True),
    )
    if not is_long_to_open(upload):
        _inspect(upload, data, raises=True)
    upload.folder = kept.keep_file(data, is_personal=target.is_personal)
    upload.save(force_insert=True)
    _record("imports.received", by, upload, {"size": upload.size, "sha256": upload.sha256})
    return upload


def is_long_to_open(upload: Upload) -> bool:
    """Tell whether opening the file takes so long that a background job does it."""
    return upload.size > MEGABYTE


def clean_params(target: Target, params: Mapping[str, Any]) -> dict[str, str]:
    """Read what is asked once for the whole file.

    Raises
    ------
    BadParameter
        If one is missing or malformed.
    """
    cleaned: dict[str, str] = {}
    for parameter in target.parameters:
        text = clean_text(str(params.get(parameter.code) or ""))
        if parameter.kind == "date":
            day = read_day(text)
            if day is None:
                raise BadParameter(
                    _("“%(name)s” must be a date, such as 05/09/2026.") % {"name": parameter.title},
                    hint=str(parameter.guide),
                )
            cleaned[parameter.code] = day.isoformat()
        elif parameter.kind == "text":
            if not text:
                raise BadParameter(
                    _("“%(name)s” is empty.") % {"name": parameter.title}, hint=str(parameter.guide)
                )
            cleaned[parameter.code] = text[:200]
        else:
            match = SCHOOL_YEAR.fullmatch(text.replace(" ", "").replace("–", "-"))
            if match is None or int(match.group(2)) != int(match.group(1)) + 1:
                raise BadParameter(
                    _("“%(name)s” must be two years in a row, such as 2026-2027.") % {"name": parameter.title}
                )
            cleaned[parameter.code] = match.group()
    return cleaned


@transaction.atomic
def inspect_upload(upload_id: Any) -> Upload:
    """Open a kept file and find its table; a file that cannot be read keeps its fault in words."""
    upload = locked(upload_id)
    if upload.state != Upload.State.UPLOADED:
        return upload
    _inspect(upload, file_of(upload), raises=False)
    upload.save()
    return upload


@transaction.atomic
def choose_reading(*, by: Any, upload: Upload, sheet: str = "", charset: str = "") -> Upload:
    """Read the file anew, from another sheet or in another character set, as a person chose.

    Raises
    ------
    UploadState
        If the file was accepted meanwhile.
    """
    found = mine(by, upload)
    if found.state not in (Upload.State.UPLOADED, Upload.State.MATCHED, Upload.State.PREVIEWED):
        raise UploadState(_("This file can no longer be read anew."))
    found.sheet = sheet[:200] or found.sheet
    found.charset = charset if charset in CHARSETS else ""
    found.state, found.mapping, found.counts, found.fault = Upload.State.UPLOADED, {}, {}, None
    _inspect(found, file_of(found), raises=False)
    found.save()
    found.rows.all().delete()
    return found


def _inspect(upload: Upload, data: bytes, *, raises: bool) -> None:
    """Find the table of a file and guess its columns; put both on the upload."""
    target = target_of(upload.target)
    upload.fault, upload.layout = None, b""
    try:
        book = Book(data, upload.charset)
        layout = layout_of(book, target, sheet=upload.sheet)
    except FileFault as fault:
        refusal = file_refusal(fault, upload.file_name)
        if raises and fault.code not in CHOOSABLE:
            raise refusal from fault
        upload.fault = {"code": fault.code, "sentence": refusal.sentence, "hint": refusal.hint}
        return
    matches: list[matching.Match] = []
    if layout.header is not None:
        names = layout.header.names
        memory = queries.remembered(upload, matching.signature_of(names))
        matches = matching.guess(target, names, layout.samples, remembered=memory, today=clock.today())
        upload.sheet = layout.sheet
    upload.notes = list(layout.notes)
    content = {"layout": _layout_as_json(layout), "matches": [dataclasses.asdict(match) for match in matches]}
    upload.layout = kept.packed(content, is_personal=target.is_personal)


def _layout_as_json(layout: Layout) -> dict[str, Any]:
    """Write a layout down; samples as text."""
    content = dataclasses.asdict(layout)
    content["samples"] = [[as_typed(value) for value in column] for column in layout.samples]
    return content


@transaction.atomic
def cancel_upload(*, by: Any, upload: Upload) -> Upload:
    """Set a file aside and delete it with its preview; what was accepted is not touched.

    Raises
    ------
    UploadState
        If it was accepted or set aside before.
    """
    found = mine(by, upload)
    if found.state in (Upload.State.ACCEPTED, Upload.State.UNDONE, Upload.State.CANCELLED):
        raise UploadState(_("This file was accepted or set aside before."))
    found.state, found.layout = Upload.State.CANCELLED, b""
    found.save(update_fields=["state", "layout"])
    found.rows.all().delete()
    transaction.on_commit(lambda: kept.forget_file(found.folder))
    _record("imports.cancelled", by, found, {})
    return found


@transaction.atomic
def record_export(*, by: Any, target: Target, n_rows: int) -> None:
    """Write into the audit log that data were downloaded."""
    record(
        action="imports.exported",
        actor=by,
        obj=ObjectName("imports.target", target.code, target.title.vi),
        after={"rows": n_rows, "unit": queries.unit_of(by)},
    )


def locked(upload_id: Any) -> Upload:
    """Hold an upload until the end of the transaction."""
    return Upload.objects.select_for_update().select_related(None).get(id=upload_id)


def mine(by: Any, upload: Upload) -> Upload:
    """Hold an upload, if it is this person's and the person may still import such data.

    Raises
    ------
    NotAllowed
        If not.
    """
    found = locked(upload.id)
    demand_target(by, target_of(found.target))
    if found.created_by_id != by.pk:
        raise permissions.refusal_for(by, "import_data")
    return found


def file_of(upload: Upload) -> bytes:
    """Read the kept file.

    Raises
    ------
    UploadState
        If it was deleted after its time.
    """
    try:
        return kept.kept_file(upload.folder, is_personal=target_of(upload.target).is_personal)
    except kept.FileGone:
        raise UploadState(
            _("The file was deleted when its time was over."), hint=_("Please send it in again.")
        ) from None


def _record(action: str, by: Any, upload: Upload, after: Mapping[str, Any]) -> None:
    """Write the audit entry of an upload: counts, never rows."""
    target = target_of(upload.target)
    record(action=action, actor=by, obj=upload, title=target.title.vi, after={"target": target.code, **after})


__all__ = ["FileRefused"]
