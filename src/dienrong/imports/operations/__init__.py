"""Writes of the room: receive, match, preview, accept, undo, set aside, delete after the time."""

from dienrong.imports.operations.accepting import (
    NothingChanges,
    PreviewStale,
    accept_upload,
    refuse_unless_whole,
    undo_upload,
)
from dienrong.imports.operations.previewing import ColumnsMissing, match_columns, preview_upload, take_rows
from dienrong.imports.operations.purging import purge
from dienrong.imports.operations.receiving import (
    BadParameter,
    FileRefused,
    UploadState,
    cancel_upload,
    choose_reading,
    clean_params,
    inspect_upload,
    receive_file,
    record_export,
)
from dienrong.imports.operations.starting import (
    match_and_preview,
    send_in,
    start_accepting,
    start_preview,
    start_undoing,
)

__all__ = [
    "BadParameter",
    "ColumnsMissing",
    "FileRefused",
    "NothingChanges",
    "PreviewStale",
    "UploadState",
    "accept_upload",
    "cancel_upload",
    "choose_reading",
    "clean_params",
    "inspect_upload",
    "match_and_preview",
    "match_columns",
    "preview_upload",
    "purge",
    "receive_file",
    "record_export",
    "refuse_unless_whole",
    "send_in",
    "start_accepting",
    "start_preview",
    "start_undoing",
    "take_rows",
    "undo_upload",
]
