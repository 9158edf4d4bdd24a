"""Rows sent by programs: previewed, accepted and taken back by the same rules as files."""

from __future__ import annotations

import datetime
import hashlib
import json
import uuid
from collections.abc import Callable
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils.translation import gettext_noop as _
from ninja import Field, Header, Path, Query, Router, Schema, Status
from pydantic import AfterValidator, ConfigDict, StrictBool, StrictFloat, StrictInt

from dienrong.accounts import permissions
from dienrong.api import operations, queries
from dienrong.api.access import Caller
from dienrong.api.pages import page_of
from dienrong.api.problems import nothing_here
from dienrong.api.types import Code, Day, Paging, SchoolYear, plain_text
from dienrong.imports import columns
from dienrong.imports import operations as imports
from dienrong.imports import queries as uploads
from dienrong.imports.models import Upload

router = Router()
MOST_ROWS = 5_000
SHOWN_ROWS = 100
Text = Annotated[str, Field(max_length=1000), AfterValidator(plain_text)]
Number = Annotated[StrictInt, Field(ge=-(2**53), le=2**53)]
Cell = StrictBool | Number | StrictFloat | Text | None
ColumnCode = Annotated[str, Field(max_length=40), AfterValidator(plain_text)]
IMPORT_ID = Path(
    ..., description=_("Number of the import."), examples=["5f0c9a52-7c1f-4a53-9a55-0c0f8ec8a8a1"]
)
KEY = Header(
    None,
    alias="Idempotency-Key",
    min_length=8,
    max_length=64,
    pattern=r"^[A-Za-z0-9._-]+$",
    description=_("A key of your own: the same call sent twice with it is made once."),
)
Verdict = Literal["new", "changed", "unchanged", "refused"]


class ColumnOut(Schema):
    """A column of a kind of rows."""

    code: str = Field(description=_("Name of the cell in a row."))
    title: str
    guide: str
    kind: str = Field(description=_("text, code, choice, choices, integer, decimal, date or yes_no."))
    is_required: bool
    choices: list[str] = Field(description=_("Codes that are accepted; empty where the cell is free."))


class ParameterOut(Schema):
    """What is said once for all rows of a call."""

    code: str
    title: str
    guide: str


class TargetOut(Schema):
    """A kind of rows that the token may send."""

    code: str = Field(description=_("Name under which the rows are sent."))
    title: str
    parameters: list[ParameterOut]
    columns: list[ColumnOut]
    key: list[str] = Field(description=_("Columns that together tell rows apart."))


class TargetPage(Schema):
    """Every kind of rows that the token may send."""

    items: list[TargetOut]
    next: str | None = Field(description=_("Address of the next page; null at the end."))


class PacketIn(Schema):
    """Rows of one kind, with what is said once for all of them."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "target": "truong",
                    "on_date": "2026-09-05",
                    "rows": [
                        {"school_id": "01000001", "name": "Trường Tiểu học Hòa Bình", "phone": "0241234567"}
                    ],
                }
            ]
        },
    )

    target: Code = Field(..., description=_("Kind of rows, as GET /import-targets lists them."))
    rows: list[Annotated[dict[ColumnCode, Cell], Field(max_length=100)]] = Field(
        ..., min_length=1, max_length=MOST_ROWS, description=_("Rows, each with its cells by column code.")
    )
    name: Annotated[str, Field(max_length=80), AfterValidator(plain_text)] = Field(
        "API", description=_("How the packet is called on the pages.")
    )
    on_date: Day | None = Field(None, description=_("Day from which the rows hold; for schools and sites."))
    school_year: SchoolYear | None = Field(None, description=_("School year; for enrolments and rosters."))
    counted_on: Day | None = Field(None, description=_("Day on which pupils were counted; for enrolments."))


class ProblemOut(Schema):
    """Why a cell is refused."""

    column: str = Field(description=_("Code of the column; empty where the whole row is meant."))
    sentence: str
    hint: str


class RowOut(Schema):
    """What would become, or became, of one row; of personal rows the cells are named and not repeated."""

    number: int = Field(description=_("Number of the row in the call, from 1."))
    key: str
    verdict: Verdict
    changed_columns: list[str]
    before: dict[str, Any] = Field(description=_("What was kept; empty for personal rows."))
    after: dict[str, Any] = Field(description=_("What comes in its place; empty for personal rows."))
    problems: list[ProblemOut]


class RowPage(Schema):
    """A page of rows."""

    items: list[RowOut]
    next: str | None = Field(description=_("Address of the next page; null at the end."))


class CountsOut(Schema):
    """How many rows are new, changed, unchanged and refused."""

    new: int
    changed: int
    unchanged: int
    refused: int


class ImportOut(Schema):
    """An import: where it stands, what it would do or did, and its first refused rows."""

    id: uuid.UUID
    target: str
    state: str = Field(description=_("previewed, accepted, undone or cancelled."))
    name: str
    counts: CountsOut
    is_repeated: bool = Field(
        description=_("Whether the same call was made before with this Idempotency-Key.")
    )
    created_at: datetime.datetime
    accepted_at: datetime.datetime | None
    undone_at: datetime.datetime | None
    refused: list[RowOut] = Field(description=_("The first hundred refused rows."))


class RowFilters(Paging):
    """Which rows."""

    verdict: Verdict | None = Field(None, description=_("Only rows of this verdict."))


class Acceptance(Schema):
    """How an import is accepted."""

    whole: bool = Field(False, description=_("Accept only where no row is refused."))


@router.get(
    "/import-targets",
    response=TargetPage,
    operation_id="list_import_targets",
    summary=_("Kinds of rows that the key may send, with their columns"),
)
def list_import_targets(request: HttpRequest) -> dict[str, Any]:
    return {"items": [_target(target) for target in uploads.targets_for(_caller(request).user)], "next": None}


@router.post(
    "/imports",
    response={201: ImportOut},
    operation_id="send_rows",
    summary=_("Send rows and see what they would change"),
    description=_("Nothing is written yet: the answer is the preview, which is then accepted or left."),
)
def send_rows(
    request: HttpRequest, packet: PacketIn, idempotency_key: str | None = KEY
) -> Status[dict[str, Any]]:
    caller = _caller(request)
    target = columns.target_of(packet.target)
    said = packet.model_dump(mode="json", include={"on_date", "school_year", "counted_on"}, exclude_none=True)

    def send() -> str:
        taken = imports.take_rows(target, packet.rows, by=caller.user, params=said, name=packet.name)
        return str(taken.id)

    made, repeated = _once(caller, idempotency_key, packet, send)
    return Status(201, _import(_upload(caller, made), is_repeated=repeated))


@router.get(
    "/imports/{import_id}", response=ImportOut, operation_id="get_import", summary=_("Where an import stands")
)
def get_import(request: HttpRequest, import_id: uuid.UUID = IMPORT_ID) -> dict[str, Any]:
    return _import(_upload(_caller(request), import_id))


@router.get(
    "/imports/{import_id}/rows",
    response=RowPage,
    operation_id="list_import_rows",
    summary=_("The rows of an import, one by one"),
)
def list_import_rows(
    request: HttpRequest, filters: Query[RowFilters], import_id: uuid.UUID = IMPORT_ID
) -> dict[str, Any]:
    upload = _upload(_caller(request), import_id)
    rows = uploads.staged(upload, filters.verdict or "")
    return page_of(request, rows, keys=("number", "part"), paging=filters, write=_writer(upload))


@router.post(
    "/imports/{import_id}/accept",
    response=ImportOut,
    operation_id="accept_import",
    summary=_("Accept an import as one transaction"),
    description=_("Refused rows stay out. Accepted before, it changes nothing."),
)
def accept_import(
    request: HttpRequest, options: Query[Acceptance], import_id: uuid.UUID = IMPORT_ID
) -> dict[str, Any]:
    caller = _caller(request)
    upload = _upload(caller, import_id)
    return _import(imports.accept_upload(by=caller.user, upload=upload, is_whole_only=options.whole))


@router.post(
    "/imports/{import_id}/undo",
    response=ImportOut,
    operation_id="undo_import",
    summary=_("Take an accepted import back as one step"),
    description=_("Refused where something was changed since. Taken back before, it changes nothing."),
)
def undo_import(request: HttpRequest, import_id: uuid.UUID = IMPORT_ID) -> dict[str, Any]:
    caller = _caller(request)
    upload = _upload(caller, import_id)
    return _import(imports.undo_upload(by=caller.user, upload=upload))


def _caller(request: HttpRequest) -> Caller:
    """Give the caller, who must hold the permission to import."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    permissions.demand(caller.user, "import_data")
    return caller


def _upload(caller: Caller, import_id: uuid.UUID | str) -> Upload:
    """Give an import of the caller, made within the units that the token has now."""
    upload = queries.upload_of(caller.user, caller.scope, import_id)
    if upload is None:
        raise nothing_here()
    return upload


def _once(caller: Caller, key: str | None, packet: PacketIn, send: Callable[[], str]) -> tuple[str, bool]:
    """Make a call once where it carries a key, else each time."""
    if key is None:
        return send(), False
    said = json.dumps(packet.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    fingerprint = hashlib.sha256(said.encode()).hexdigest()
    return operations.make_once(token_id=caller.token.pk, key=key, fingerprint=fingerprint, make=send)


def _target(target: columns.Target) -> dict[str, Any]:
    """Write a kind of rows."""
    return {
        "code": target.code,
        "title": str(target.title),
        "key": list(target.key),
        "parameters": [
            {"code": parameter.code, "title": str(parameter.title), "guide": str(parameter.guide)}
            for parameter in target.parameters
        ],
        "columns": [
            {
                "code": column.code,
                "title": str(column.title),
                "guide": str(column.guide),
                "kind": column.kind,
                "is_required": column.is_required,
                "choices": [choice.code for choice in column.choices],
            }
            for column in target.columns
        ],
    }


def _import(upload: Upload, *, is_repeated: bool = False) -> dict[str, Any]:
    """Write an import with its first refused rows."""
    write = _writer(upload)
    counts = {
        verdict: upload.counts.get(verdict, 0) for verdict in ("new", "changed", "unchanged", "refused")
    }
    return {
        "id": upload.id,
        "target": upload.target,
        "state": upload.state,
        "name": upload.file_name,
        "counts": counts,
        "is_repeated": is_repeated,
        "created_at": upload.created_at,
        "accepted_at": upload.accepted_at,
        "undone_at": upload.undone_at,
        "refused": [write(row) for row in uploads.staged(upload, "refused")[:SHOWN_ROWS]],
    }


def _writer(upload: Upload) -> Callable[[Any], dict[str, Any]]:
    """Give the function that writes the rows of an import."""
    target = columns.target_of(upload.target)

    def write(row: Any) -> dict[str, Any]:
        (change,) = uploads.changes_of([row], target)
        shown = {} if target.is_personal else change.changes
        return {
            "number": change.number,
            "key": row.key,
            "verdict": change.verdict,
            "changed_columns": list(change.changes),
            "before": {column: pair[0] for column, pair in shown.items() if pair[0] is not None},
            "after": {column: pair[1] for column, pair in shown.items()},
            "problems": [
                {"column": cell.column, "sentence": cell.sentence, "hint": cell.hint}
                for cell in change.problems
            ],
        }

    return write
