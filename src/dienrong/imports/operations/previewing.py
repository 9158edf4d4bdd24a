"""Rows compared with what is kept and laid out for a person to look at; nothing of the data changes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.core import clock, many_rows
from dienrong.core.row_changes import CellProblem, RowChange
from dienrong.imports import kept, matching, queries, sentences
from dienrong.imports.columns import Target, target_of
from dienrong.imports.models import MatchMemory, StagedRow, Upload
from dienrong.imports.numeric.cells import clean
from dienrong.imports.numeric.faults import CellFault, FileFault
from dienrong.imports.numeric.sheets import Book
from dienrong.imports.numeric.texts import spelling_key
from dienrong.imports.operations.receiving import (
    UploadState,
    _record,
    clean_params,
    demand_target,
    file_of,
    locked,
    mine,
)
from dienrong.imports.reading import BLOCK_ROWS, Reader, ReadRow, Tally
from dienrong.imports.sentences import file_refusal

Progress = Callable[[str, float], None]
MOST_API_ROWS = 5_000


class ColumnsMissing(UploadState):
    """Required columns are not matched."""

    code = "imports.columns_missing"


@transaction.atomic
def match_columns(*, by: Any, upload: Upload, mapping: Mapping[int, str]) -> Upload:
    """Say which column of the file fills which column of the target, and remember it for this layout.

    Raises
    ------
    ColumnsMissing
        If a required column is filled by nothing, or two columns fill the same one.
    UploadState
        If the file waits for a sheet or was accepted.
    """
    found = mine(by, upload)
    target = target_of(found.target)
    seen = queries.inspected(found)
    if seen is None or seen.layout.header is None:
        raise UploadState(_("Please choose the sheet first."))
    if found.state not in (Upload.State.UPLOADED, Upload.State.MATCHED, Upload.State.PREVIEWED):
        raise UploadState(_("The columns of this file can no longer be changed."))
    places = {match.place for match in seen.matches}
    chosen = {place: code for place, code in mapping.items() if place in places and target.column(code)}
    twice = sorted({code for code in chosen.values() if list(chosen.values()).count(code) > 1})
    if twice:
        column = target.column(twice[0])
        raise ColumnsMissing(
            _("Two columns of the file are set to “%(name)s”.") % {"name": column.title if column else ""},
            hint=_("Keep one of them and set the other to “Leave out”."),
        )
    if missing := matching.missing_required(target, chosen):
        raise ColumnsMissing(
            _("No column of the file is set to: %(names)s.")
            % {"names": ", ".join(str(column.title) for column in missing)},
            hint=_("Choose it in the list beside the column that holds it, or add the column to the file."),
        )
    names = seen.layout.header.names
    MatchMemory.objects.update_or_create(
        unit=found.unit,
        target=found.target,
        signature=matching.signature_of(names),
        defaults={
            "mapping": {match.name: chosen.get(match.place, "") for match in seen.matches},
            "used_at": clock.now(),
        },
    )
    found.mapping = {str(place): code for place, code in sorted(chosen.items())}
    found.state, found.counts = Upload.State.MATCHED, {}
    found.save(update_fields=["mapping", "state", "counts"])
    return found


def preview_upload(upload_id: Any, *, by: Any, progress: Progress | None = None) -> Upload:
    """Read every row, compare it and lay it out; run twice it does the same again.

    The rows are laid out block by block in transactions of their own, so that a cancelled or killed run leaves
    an upload without a preview and nothing else; the next run begins by deleting what was laid out.

    Raises
    ------
    FileRefused
        If the file turns out to be unreadable on the way.
    """
    tell = progress or _silent
    upload = Upload.objects.get(id=upload_id)
    if upload.state != Upload.State.MATCHED:
        return upload
    target = target_of(upload.target)
    demand_target(by, target)
    seen = queries.inspected(upload)
    if seen is None:
        raise UploadState(_("Please choose the sheet first."))
    StagedRow.objects.filter(upload=upload).delete()
    tell(_("Opening the file"), 0.01)
    mapping = {int(place): code for place, code in upload.mapping.items()}
    try:
        book = Book(file_of(upload), upload.charset)
        reader = Reader(book, seen.layout, target, mapping, today=clock.today())
        n_expected = max(1, seen.layout.n_data_rows)
        stage = _Stage(upload, target, by)
        for block in reader.blocks():
            stage.lay_out(block)
            words = _("Comparing: %(n)s of about %(total)s rows")
            tell(
                words % {"n": reader.tally.n_rows, "total": n_expected},
                min(0.99, reader.tally.n_rows / n_expected),
            )
    except FileFault as fault:
        raise file_refusal(fault, upload.file_name) from fault
    return _finish(upload_id, by=by, stage=stage, tally=reader.tally)


@transaction.atomic
def _finish(upload_id: Any, *, by: Any, stage: _Stage, tally: Tally) -> Upload:
    """Mark the preview as ready."""
    upload = locked(upload_id)
    upload.state, upload.previewed_at = Upload.State.PREVIEWED, clock.now()
    upload.counts = dict(stage.counts)
    if stage.n_spelling:
        tally.repairs["spelling"] = {"n": stage.n_spelling, "example": stage.spelling_example}
    upload.repairs = tally.repairs
    upload.scope = queries.scope_as_json(permissions.scope_of(by))
    upload.notes = [note for note in upload.notes if note["code"] != "total_rows"]
    if tally.n_total_rows:
        upload.notes.append({"code": "total_rows", "n": tally.n_total_rows})
    upload.save()
    _record("imports.previewed", by, upload, upload.counts)
    return upload


def take_rows(
    target: Target,
    rows: Sequence[Mapping[str, Any]],
    *,
    by: Any,
    params: Mapping[str, Any],
    name: str = "API",
) -> Upload:
    """Take rows of a machine, by column code, and preview them as if they had come in a file.

    Parameters
    ----------
    target : Target
        What the rows are.
    rows : sequence of mapping
        Cells by column code; numbered from 1.
    by : User
        Whose rights count.
    params : mapping
        School year, dates.
    name : str
        How the packet is called on pages.

    Returns
    -------
    Upload
        Previewed; ``accept_upload`` takes it.

    Raises
    ------
    NotAllowed, BadParameter, UploadState
        As for files; ``UploadState`` for more than 5,000 rows.
    """
    demand_target(by, target)
    if not rows or len(rows) > MOST_API_ROWS:
        raise UploadState(
            _("One packet holds 1 to %(limit)s rows. This one has %(n)s.")
            % {"limit": MOST_API_ROWS, "n": len(rows)},
            hint=_("Send the rows in several packets."),
        )
    text = json.dumps(list(rows), ensure_ascii=False, sort_keys=True, default=str)
    with transaction.atomic():
        upload = Upload.objects.create(
            created_by=by,
            unit=queries.unit_of(by),
            target=target.code,
            source=Upload.Source.API,
            file_name=name[:200],
            sha256=hashlib.sha256(text.encode("utf-8")).hexdigest(),
            size=len(text),
            params=clean_params(target, params),
            state=Upload.State.MATCHED,
            mapping={str(place): column.code for place, column in enumerate(target.columns)},
        )
        _record("imports.received", by, upload, {"rows": len(rows)})
    tally, stage = Tally(), _Stage(upload, target, by)
    read = [_read_packet_row(number, row, target, tally) for number, row in enumerate(rows, start=1)]
    for begin in range(0, len(read), BLOCK_ROWS):
        stage.lay_out(read[begin : begin + BLOCK_ROWS])
    return _finish(upload.id, by=by, stage=stage, tally=tally)


def _read_packet_row(number: int, row: Mapping[str, Any], target: Target, tally: Tally) -> ReadRow:
    """Clean one row of a machine by the same rules as cells of a file."""
    values: dict[str, Any] = {}
    problems: list[CellProblem] = []
    today = clock.today()
    for column in target.columns:
        raw = row.get(column.code)
        cleaned = clean(raw, column.rule(), today=today)
        if cleaned.fault:
            problems.append(sentences.cell_problem(cleaned.fault, column, raw))
        elif cleaned.value is not None:
            values[column.code] = cleaned.value
        elif column.is_required:
            problems.append(sentences.cell_problem(CellFault("missing"), column, ""))
        for kind in cleaned.repairs:
            tally.repaired(kind, f"{column.title.vi} · {number}")
    unknown = [name for name in row if target.column(name) is None]
    problems += [
        CellProblem(
            column="",
            value=str(name)[:80],
            sentence=_("There is no column “%(name)s”.") % {"name": str(name)[:80]},
            hint=_("Known columns: %(names)s.")
            % {"names": ", ".join(column.code for column in target.columns)},
        )
        for name in unknown[:3]
    ]
    return ReadRow(number, values, tuple(problems))


class _Stage:
    """Compares blocks of rows and lays them out."""

    def __init__(self, upload: Upload, target: Target, by: Any) -> None:
        self._upload, self._target = upload, target
        self._scope = permissions.scope_of(by)
        self._seen: dict[str, int] = {}
        self._first_rows: dict[tuple[Any, ...], int] = {}
        self.counts = {"new": 0, "changed": 0, "unchanged": 0, "refused": 0}
        self.n_spelling, self.spelling_example = 0, ""

    def lay_out(self, block: Sequence[ReadRow]) -> None:
        """Compare one block and write its staged rows in one transaction."""
        changes: list[RowChange] = []
        ready: list[tuple[int, Mapping[str, Any]]] = []
        for row in block:
            problems = row.problems or self._repeated(row)
            if problems:
                key = "" if self._target.is_personal else self._key_text(row.values)
                changes.append(
                    RowChange(
                        number=row.number, key=key, verdict="refused", values=row.values, problems=problems
                    )
                )
            elif self._target.spread is None:
                ready.append((row.number, row.values))
            else:
                ready += self._target.spread(row.number, row.values)
        changes += compared(self._target, ready, self._scope, self._upload.params, seen=self._seen)
        changes.sort(key=lambda change: change.number)
        changes = [self._settled(change) for change in changes]
        _insert(self._rows(changes))

    def _rows(self, changes: Sequence[RowChange]) -> Iterator[tuple[Any, ...]]:
        """Make the staged rows of changes, as ``_insert`` takes them."""
        number, part, sealer = 0, 0, kept.rows_sealer()
        for change in changes:
            part = part + 1 if change.number == number else 0
            number = change.number
            self.counts[change.verdict] += 1
            key = "" if self._target.is_personal else change.key[:80]
            content = queries.change_as_json(change)
            payload = kept.packed(content, is_personal=self._target.is_personal, sealer=sealer)
            yield self._upload.pk, number, part, change.verdict, key, payload

    def _key_text(self, values: Mapping[str, Any]) -> str:
        """Write the key of a row as people know it."""
        return " · ".join(str(values[code]) for code in self._target.key if values.get(code) is not None)

    def _repeated(self, row: ReadRow) -> tuple[CellProblem, ...]:
        """Refuse a row whose key stood in the file before."""
        key = tuple(row.values.get(code) for code in self._target.key)
        first = self._first_rows.setdefault(key, row.number)
        if first == row.number:
            return ()
        names = ", ".join(
            str(column.title) for column in self._target.columns if column.code in self._target.key
        )
        return (sentences.row_problem("twice", {"first": first, "columns": names}),)

    def _settled(self, change: RowChange) -> RowChange:
        """Take two spellings of tone marks for the same word: what is kept stays as it is spelled."""
        settled, same = without_spelling(change)
        if same:
            self.n_spelling += len(same)
            if not self.spelling_example:
                column = self._target.column(same[0])
                name = column.title.vi if column else same[0]
                self.spelling_example = f"{name} · {change.number}"
        return settled


@transaction.atomic
def _insert(rows: Iterator[tuple[Any, ...]]) -> None:
    """Write staged rows by one statement."""
    names = ("upload", "number", "part", "verdict", "key", "payload")
    columns = list(zip(*rows, strict=True))
    if columns:
        fields = [StagedRow._meta.get_field(name) for name in names]
        many_rows.insert(StagedRow, list(zip(fields, columns, strict=True)))


def compared(
    target: Target,
    rows: Sequence[tuple[int, Mapping[str, Any]]],
    scope: Any,
    params: Mapping[str, Any],
    *,
    seen: dict[str, int] | None = None,
) -> list[RowChange]:
    """Compare rows with what is kept, at most 2,000 at a time; ``seen`` lets doubles be found across calls."""
    memory = {"seen": {} if seen is None else seen} if target.remembers else {}
    found: list[RowChange] = []
    for begin in range(0, len(rows), BLOCK_ROWS):
        found += target.compare(rows[begin : begin + BLOCK_ROWS], scope, params, **memory)
    return found


def without_spelling(change: RowChange) -> tuple[RowChange, list[str]]:
    """Leave out the cells that differ in the place of a tone mark alone, and name them."""
    if change.verdict != "changed":
        return change, []
    same = [
        column
        for column, (before, after) in change.changes.items()
        if isinstance(before, str) and isinstance(after, str) and spelling_key(before) == spelling_key(after)
    ]
    if not same:
        return change, []
    values = {**change.values, **{column: change.changes[column][0] for column in same}}
    changes = {column: pair for column, pair in change.changes.items() if column not in same}
    verdict = "changed" if changes else "unchanged"
    return dataclasses.replace(change, values=values, changes=changes, verdict=verdict), same


def _silent(_stage: str, _share: float) -> None:
    """Tell nobody."""
