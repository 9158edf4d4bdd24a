"""Files and rows of uploads end after their time; that they were there stays known."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction

from dienrong.core import clock
from dienrong.core.recording import ObjectName, record
from dienrong.imports import kept, queries
from dienrong.imports.models import StagedRow, WrittenBlock


def purge(now: dt.datetime | None = None) -> int:
    """Delete files, staged rows and what could be taken back of uploads older than the option says.

    Returns
    -------
    int
        Uploads emptied.
    """
    now = now or clock.now()
    before = now - dt.timedelta(days=settings.OPTIONS.upload_days)
    names: list[str] = []
    with transaction.atomic():
        rows = list(queries.expired(before).select_for_update())
        for upload in rows:
            names.append(upload.folder)
            StagedRow.objects.filter(upload=upload).delete()
            WrittenBlock.objects.filter(upload=upload).delete()
            upload.layout, upload.folder, upload.purged_at = b"", "", now
            upload.repairs = {}
            upload.save(update_fields=["layout", "folder", "purged_at", "repairs"])
        if rows:
            record(
                action="imports.purged",
                actor=None,
                obj=ObjectName("imports.upload", "", ""),
                after={"uploads": len(rows)},
            )
    for name in names:
        kept.forget_file(name)
    return len(rows)
