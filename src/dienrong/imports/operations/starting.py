"""Small files are worked on at once; large ones as background jobs, whose number the upload keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.imports import queries
from dienrong.imports.columns import Target
from dienrong.imports.models import Upload
from dienrong.imports.operations.accepting import accept_upload, demand_undoable, undo_upload
from dienrong.imports.operations.previewing import match_columns, preview_upload
from dienrong.imports.operations.receiving import UploadState, is_long_to_open, locked, mine, receive_file
from dienrong.jobs.operations import enqueue

ROWS_AT_ONCE = 500


def send_in(
    *, by: Any, target: Target, file_name: str, data: bytes, params: Mapping[str, Any], charset: str = ""
) -> Upload:
    """Keep a file; open it at once, or ask for the job that opens it."""
    with transaction.atomic():
        upload = receive_file(
            by=by, target=target, file_name=file_name, data=data, params=params, charset=charset
        )
        if is_long_to_open(upload):
            _enqueue("imports.inspect", upload, by)
    return upload


def match_and_preview(*, by: Any, upload: Upload, mapping: Mapping[int, str]) -> Upload:
    """Set the columns, then make the preview at once or ask for the job that makes it."""
    found = match_columns(by=by, upload=upload, mapping=mapping)
    return start_preview(by=by, upload=found)


def start_preview(*, by: Any, upload: Upload) -> Upload:
    """Make the preview of a matched file anew, at once or as a job.

    Raises
    ------
    UploadState
        If the columns are not matched or the file was accepted.
    """
    with transaction.atomic():
        found = mine(by, upload)
        if found.state not in (Upload.State.MATCHED, Upload.State.PREVIEWED):
            raise UploadState(_("Please match the columns first."))
        found.state = Upload.State.MATCHED
        found.save(update_fields=["state"])
        seen = queries.inspected(found)
        if seen is not None and seen.layout.n_data_rows >= ROWS_AT_ONCE:
            return _enqueue("imports.preview", found, by)
    return preview_upload(found.id, by=by)


def start_accepting(*, by: Any, upload: Upload) -> Upload:
    """Accept a preview at once or as a job."""
    if _n_rows(upload) < ROWS_AT_ONCE:
        return accept_upload(by=by, upload=upload)
    with transaction.atomic():
        return _enqueue("imports.accept", mine(by, upload), by)


def start_undoing(*, by: Any, upload: Upload) -> Upload:
    """Take an accepted file back at once or as a job."""
    if _n_rows(upload) < ROWS_AT_ONCE:
        return undo_upload(by=by, upload=upload)
    with transaction.atomic():
        found = mine(by, upload)
        demand_undoable(found)
        return _enqueue("imports.undo", found, by)


def _n_rows(upload: Upload) -> int:
    """Give how many rows would be written."""
    return sum(upload.counts.get(verdict, 0) for verdict in queries.WRITTEN_VERDICTS)


def _enqueue(kind: str, upload: Upload, by: Any) -> Upload:
    """Ask for a job and keep its number."""
    job = enqueue(kind, {"upload_id": str(upload.id)}, by=by)
    found = locked(upload.id)
    found.job_id = job.id
    found.save(update_fields=["job_id"])
    return found
