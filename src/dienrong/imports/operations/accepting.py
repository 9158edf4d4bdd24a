"""A preview is accepted as one transaction, and taken back as one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.core import clock
from dienrong.core.row_changes import RowChange, Written
from dienrong.imports import kept, queries
from dienrong.imports.columns import Target, target_of
from dienrong.imports.models import StagedRow, Upload, WrittenBlock
from dienrong.imports.operations.previewing import Progress, _silent, compared, without_spelling
from dienrong.imports.operations.receiving import UploadState, _record, mine
from dienrong.imports.reading import BLOCK_ROWS
from dienrong.imports.sentences import nothing_changed

NAMED_ROWS = 5


class PreviewStale(UploadState):
    """What is kept changed since the preview."""

    code = "imports.preview_stale"


class NothingChanges(UploadState):
    """The file brings nothing new."""

    code = "imports.nothing_changes"


class RowsRefused(UploadState):
    """Everything or nothing was asked for, and rows are refused."""

    code = "imports.rows_refused"


def refuse_unless_whole(upload: Upload) -> None:
    """Refuse a preview with refused rows, where everything or nothing was asked for.

    Raises
    ------
    RowsRefused
        If there are any.
    """
    n = upload.counts.get("refused", 0)
    if n:
        raise RowsRefused(
            _("%(n)s rows are refused, and you asked to accept all rows or none.") % {"n": n},
            hint=_(
                "Correct these rows in the file and send it again, or accept the other rows without them."
            ),
        )


@transaction.atomic
def accept_upload(
    *, by: Any, upload: Upload, is_whole_only: bool | None = None, progress: Progress | None = None
) -> Upload:
    """Write every row that is new or changed, all in one transaction; accepted before, it changes nothing.

    Rows that change something are compared once more just before they are written; rows that are new must turn
    out as new. Where what is kept changed since the preview,
    nothing at all is written, so that a person never accepts what the preview did not show.

    Raises
    ------
    PreviewStale
        If something changed since the preview; the first rows are named.
    NothingChanges, RowsRefused, UploadState
        If there is nothing to write, rows are refused and all were asked for, or there is no preview.
    """
    tell = progress or _silent
    found = mine(by, upload)
    if found.state == Upload.State.ACCEPTED:
        return found
    if found.state != Upload.State.PREVIEWED:
        raise UploadState(_("There is no preview to accept."), hint=_("Please match the columns first."))
    scope = permissions.scope_of(by)
    if queries.scope_as_json(scope) != found.scope:
        raise PreviewStale(
            _("Your units changed since the preview."), hint=_("Please make the preview anew.")
        )
    n_rows = sum(found.counts.get(verdict, 0) for verdict in queries.WRITTEN_VERDICTS)
    is_whole_only = found.is_whole_only if is_whole_only is None else is_whole_only
    if is_whole_only:
        refuse_unless_whole(found)
    if not n_rows:
        raise NothingChanges(nothing_changed())
    target = target_of(found.target)
    n_done = 0
    for ordinal, block in enumerate(_staged_blocks(found)):
        changes = list(queries.changes_of(block, target))
        _demand_still_true(changes, target, scope, found)
        written = target.write(changes, by, found.params)
        _demand_as_previewed(changes, written)
        content = [
            {"number": one.number, "key": one.key, "before": one.before, "after": one.after}
            for one in written
        ]
        WrittenBlock.objects.create(
            upload=found,
            ordinal=ordinal,
            n_rows=len(written),
            payload=kept.packed(content, is_personal=target.is_personal),
        )
        n_done += len(block)
        tell(_("Writing: %(n)s of %(total)s rows") % {"n": n_done, "total": n_rows}, 0.99 * n_done / n_rows)
    found.state, found.accepted_at, found.is_whole_only = Upload.State.ACCEPTED, clock.now(), is_whole_only
    found.save(update_fields=["state", "accepted_at", "is_whole_only"])
    _record("imports.accepted", by, found, {**found.counts, "params": found.params})
    return found


def _staged_blocks(upload: Upload) -> Iterator[list[Any]]:
    """Give the rows to be written in blocks, by place and not by offset, so that no pass is repeated.

    A row has the fields that ``changes_of`` reads and is no model: making 200,000 models costs seconds.
    """
    last = (-1, -1)
    while True:
        rows = StagedRow.objects.filter(upload=upload, verdict__in=queries.WRITTEN_VERDICTS)
        # the bound on the number alone lets the index begin there; an "or" would read every row before it again
        after = rows.filter(number__gte=last[0]).exclude(number=last[0], part__lte=last[1])
        named = after.values_list("number", "part", "verdict", "payload", named=True)
        block = list(named.order_by("number", "part")[:BLOCK_ROWS])
        if not block:
            return
        last = (block[-1].number, block[-1].part)
        yield block


def _demand_still_true(staged: Sequence[RowChange], target: Target, scope: Any, upload: Upload) -> None:
    """Compare the rows that change something once more; refuse where they would change something else now."""
    changed = [change for change in staged if change.verdict == "changed"]
    rows = [(change.number, change.values) for change in changed]
    fresh = [without_spelling(change)[0] for change in compared(target, rows, scope, upload.params)]
    _refuse_stale(
        change.number
        for change, again in zip(changed, fresh, strict=True)
        if again.verdict != change.verdict or _plain(again) != _plain(change)
    )


def _demand_as_previewed(staged: Sequence[RowChange], written: Sequence[Written]) -> None:
    """Refuse where a row was not written, or a new one was kept already; the room compares again as it writes."""
    before = {(one.number, one.key): one.before for one in written}
    numbers = {one.number for one in written}
    new = {change.number for change in staged if change.verdict == "new"}
    stale = {change.number for change in staged if change.number not in numbers}
    stale |= {number for (number, _key), kept in before.items() if kept is not None and number in new}
    _refuse_stale(sorted(stale))


def _refuse_stale(numbers: Iterable[int]) -> None:
    """Name the first rows of which something else would become than the preview showed."""
    named = ", ".join(str(number) for number in itertools.islice(numbers, NAMED_ROWS))
    if named:
        raise PreviewStale(
            _("What is kept changed since the preview, in rows: %(rows)s. Nothing was written.")
            % {"rows": named},
            hint=_("Please make the preview anew and look at it once more."),
        )


def _plain(change: RowChange) -> dict[str, Any]:
    """Give the cells that change, as JSON would."""
    return {column: [pair[0], pair[1]] for column, pair in change.changes.items()}


def demand_undoable(found: Upload) -> None:
    """Refuse to take back what was not accepted, or what is kept no longer.

    Raises
    ------
    UploadState
        If so.
    """
    if found.state != Upload.State.ACCEPTED:
        raise UploadState(_("Only an accepted file can be taken back."))
    if found.purged_at is not None:
        raise UploadState(
            _("This file was accepted too long ago to be taken back as one step."),
            hint=_("Send in a file with the values of before."),
        )


@transaction.atomic
def undo_upload(*, by: Any, upload: Upload, progress: Progress | None = None) -> Upload:
    """Take everything back that an upload wrote, all in one transaction; taken back before, it changes nothing.

    Raises
    ------
    Conflict
        If something was changed since; the room that keeps the rows names the first ones.
    UploadState
        If it was not accepted, or what it wrote is no longer kept.
    """
    tell = progress or _silent
    found = mine(by, upload)
    if found.state == Upload.State.UNDONE:
        return found
    demand_undoable(found)
    target = target_of(found.target)
    blocks = found.written.order_by("-ordinal")
    n_blocks, n_rows = blocks.count(), 0
    for done, block in enumerate(blocks.iterator(chunk_size=1), start=1):
        content = kept.unpacked(block.payload, is_personal=target.is_personal)
        target.undo([Written(**one) for one in content], by, found.params)
        n_rows += block.n_rows
        tell(_("Taking back: %(n)s rows") % {"n": n_rows}, 0.99 * done / n_blocks)
    found.state, found.undone_at = Upload.State.UNDONE, clock.now()
    found.save(update_fields=["state", "undone_at"])
    _record("imports.undone", by, found, {"rows": n_rows})
    return found
