"""Writes of the room: receive, match, preview, accept, undo, set aside, delete after the time."""

from dienrong.imports.operations.accepting import (
    NothingChanges,
    PreviewStale,
    accept_upload,
    refuse_unless_whole,
    undo_upload,
)
from dienrong.imports.operations.previewing import match_columns, preview_upload, take_rows
from dienrong.imports.operations.purging import purge
from dienrong.imports.operations.receiving import (
    FileRefused,
    UploadState,
    cancel_upload,
    choose_reading,
    inspect_upload,
    receive_file,
    record_export,
)

__all__ = [
    "FileRefused",
    "NothingChanges",
    "PreviewStale",
    "UploadState",
    "accept_upload",
    "cancel_upload",
    "choose_reading",
    "inspect_upload",
    "match_columns",
    "preview_upload",
    "purge",
    "receive_file",
    "record_export",
    "refuse_unless_whole",
    "take_rows",
    "undo_upload",
]
