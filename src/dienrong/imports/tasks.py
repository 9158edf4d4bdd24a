"""The long ways of a file, as background jobs; each may be run twice."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from dienrong.imports import operations
from dienrong.imports.models import Upload
from dienrong.jobs.kinds import job
from dienrong.jobs.running import JobContext


@job("imports.inspect", title=_("Open a file of data"))
def inspect_upload(context: JobContext, upload_id: str) -> None:
    """Open a large file and find its table."""
    context.progress(str(_("Opening the file")), 0.1)
    operations.inspect_upload(upload_id)


@job("imports.preview", title=_("Compare a file with what is kept"))
def preview_upload(context: JobContext, upload_id: str) -> dict[str, Any]:
    """Make the preview of a file."""
    upload = operations.preview_upload(upload_id, by=context.created_by, progress=context.progress)
    return dict(upload.counts)


@job("imports.accept", title=_("Accept a file of data"))
def accept_upload(context: JobContext, upload_id: str) -> dict[str, Any]:
    """Write what a preview showed, in one transaction."""
    found = Upload.objects.get(id=upload_id)
    upload = operations.accept_upload(by=context.created_by, upload=found, progress=context.tell)
    return dict(upload.counts)


@job("imports.undo", title=_("Take back a file of data"))
def undo_upload(context: JobContext, upload_id: str) -> None:
    """Take back what an upload wrote, in one transaction."""
    found = Upload.objects.get(id=upload_id)
    operations.undo_upload(by=context.created_by, upload=found, progress=context.tell)


@job("imports.purge", title=_("Delete files of data after their time"), nightly={})
def purge(context: JobContext) -> dict[str, int]:
    """Delete files and rows of uploads that are older than the option says."""
    return {"uploads": operations.purge()}
