"""What the page of a file shows, by where the file stands."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.translation import gettext_lazy as _

from dienrong.core.row_changes import VERDICTS, RowChange
from dienrong.imports import files, matching, queries, sentences
from dienrong.imports.columns import Column, Target, target_of
from dienrong.imports.models import Upload
from dienrong.imports.numeric.texts import CHARSETS
from dienrong.imports.targets import lists
from dienrong.jobs import queries as jobs
from dienrong.jobs.models import State as JobState

OF_WIDE_ROWS = (lists.GRADE, lists.N_STUDENTS, lists.N_CLASSES)
ROWS_PER_PAGE = 50
VALUES_SHOWN = 6

VERDICT_WORDS = {
    "new": _("New"),
    "changed": _("Changed"),
    "unchanged": _("Unchanged"),
    "refused": _("Refused"),
}
VERDICT_HINTS = {
    "new": _("not kept yet, will be added"),
    "changed": _("kept otherwise, will be changed"),
    "unchanged": _("kept like this already"),
    "refused": _("cannot be taken, will be left out"),
}
BADGES = {
    "uploaded": "in_progress",
    "matched": "in_progress",
    "previewed": "attention",
    "accepted": "done",
    "undone": "cancelled",
    "cancelled": "cancelled",
}


@dataclasses.dataclass(frozen=True, slots=True)
class PageOfFile:
    """A template with its context."""

    template: str
    context: dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ShownRow:
    """One row of a preview."""

    number: int
    key: str
    verdict: str
    word: str
    cells: tuple[tuple[str, str, str], ...] = ()
    more: tuple[tuple[str, str, str], ...] = ()
    problems: tuple[tuple[str, str, str, str], ...] = ()


class CountedPaginator(Paginator):  # type: ignore[type-arg]
    """A paginator that is told the number of rows."""

    def __init__(self, rows: Any, per_page: int, n_rows: int) -> None:
        super().__init__(rows, per_page)
        self.count = n_rows


def active_job(upload: Upload, user: Any) -> Any:
    """Give the job that works on the file, if one does."""
    job = jobs.job_for(user, upload.job_id) if upload.job_id else None
    return job if job is not None and job.is_active else None


def page_of(upload: Upload, user: Any, query: Mapping[str, str]) -> PageOfFile:
    """Choose the page by where the file stands."""
    job = jobs.job_for(user, upload.job_id) if upload.job_id else None
    if job is not None and job.is_active:
        context = {**_common(upload), "card": jobs.card_of(job, user), "lines": ()}
        return PageOfFile("imports/waiting.html", context)
    failed = job if job is not None and job.state in (JobState.FAILED, JobState.CANCELLED) else None
    if upload.state in (Upload.State.ACCEPTED, Upload.State.UNDONE, Upload.State.CANCELLED):
        page = _result_page(upload, query)
    elif upload.state == Upload.State.PREVIEWED and query.get("buoc") != "ghep-cot":
        page = _preview_page(upload, query)
    else:
        page = matching_page(upload)
    if failed is not None:
        page.context["failed_job"] = failed
    return page


def _common(upload: Upload) -> dict[str, Any]:
    """Give what every page of a file shows."""
    target = target_of(upload.target)
    params = [
        (
            str(parameter.title),
            Column(code="", title=parameter.title, guide=parameter.guide, kind="date").shown(value),
        )
        for parameter in target.parameters
        if (value := upload.params.get(parameter.code))
    ]
    return {
        "upload": upload,
        "target": target,
        "params": params,
        "notes": [sentences.note_text(note) for note in upload.notes],
        "badge": BADGES[upload.state],
        "taken_before": queries.taken_before(upload) if upload.state != Upload.State.ACCEPTED else None,
        "step": {"uploaded": 2, "matched": 3, "previewed": 3}.get(upload.state, 4),
    }


def matching_page(
    upload: Upload, *, chosen: Mapping[int, str] | None = None, refusal: Any = None
) -> PageOfFile:
    """Show columns of the file beside columns of the target; or ask for the sheet, or say why it cannot be read."""
    target = target_of(upload.target)
    seen = queries.inspected(upload)
    context = {
        **_common(upload),
        "refusal": refusal,
        "step": 2,
        "charsets": [(name, sentences.CHARSET_WORDS[name]) for name in CHARSETS],
    }
    if seen is None:
        return PageOfFile("imports/unreadable.html", context)
    layout = seen.layout
    context |= {"layout": layout, "is_text": bool(layout.charset)}
    if layout.header is None:
        return PageOfFile("imports/sheet.html", context)
    current = chosen
    if current is None and upload.mapping:
        current = {int(place): code for place, code in upload.mapping.items()}
    if current is None:
        current = matching.mapping_of(seen.matches)
    rows = [
        {
            "match": match,
            "column": current.get(match.place, ""),
            "by": match.by if match.column == current.get(match.place, "") else "",
        }
        for match in seen.matches
    ]
    missing = matching.missing_required(target, current)
    context |= {
        "rows": rows,
        "missing": missing,
        "missing_when_new": matching.missing_when_new(target, current),
        "n_rows": layout.n_data_rows,
        "n_guessed": sum(1 for row in rows if row["column"]),
        "remembered": any(match.by == "memory" for match in seen.matches),
    }
    return PageOfFile("imports/match.html", context)


def _preview_page(upload: Upload, query: Mapping[str, str]) -> PageOfFile:
    """Show what would become of every row."""
    target = target_of(upload.target)
    verdict = query.get("loai", "")
    if verdict not in VERDICTS:
        verdict = next(
            (name for name in ("refused", "changed", "new") if upload.counts.get(name)), "unchanged"
        )
    page = _rows(upload, target, verdict, query.get("page"))
    n_written = sum(upload.counts.get(name, 0) for name in queries.WRITTEN_VERDICTS)
    context = {
        **_common(upload),
        "counters": _counters(upload, verdict),
        "verdict": verdict,
        "page": page,
        "n_written": n_written,
        "n_refused": upload.counts.get("refused", 0),
        "nothing": sentences.nothing_changed() if not n_written and not upload.counts.get("refused") else "",
        "untouched": queries.untouched_columns(upload, target),
        "repairs": [{"text": sentences.repair_text(kind), **found} for kind, found in upload.repairs.items()],
        "can_return_rows": bool(upload.folder),
        "is_blocked": upload.is_whole_only and upload.counts.get("refused", 0) > 0,
    }
    return PageOfFile("imports/preview.html", context)


def _result_page(upload: Upload, query: Mapping[str, str]) -> PageOfFile:
    """Show what was accepted, with its undoing."""
    target = target_of(upload.target)
    verdict = query.get("loai", "")
    has_rows = verdict in VERDICTS and upload.purged_at is None
    context = {
        **_common(upload),
        "counters": _counters(upload, verdict),
        "verdict": verdict,
        "page": _rows(upload, target, verdict, query.get("page")) if has_rows else None,
        "n_written": sum(upload.counts.get(name, 0) for name in queries.WRITTEN_VERDICTS),
        "n_refused": upload.counts.get("refused", 0),
        "can_return_rows": bool(upload.folder) and upload.counts.get("refused", 0) > 0,
        "can_undo": upload.state == Upload.State.ACCEPTED and upload.purged_at is None,
        "step": 4,
    }
    return PageOfFile("imports/result.html", context)


def _counters(upload: Upload, verdict: str) -> list[dict[str, Any]]:
    """Give the four counters, which are filters."""
    return [
        {
            "code": name,
            "word": VERDICT_WORDS[name],
            "hint": VERDICT_HINTS[name],
            "n": upload.counts.get(name, 0),
            "is_current": name == verdict,
        }
        for name in VERDICTS
    ]


def _rows(upload: Upload, target: Target, verdict: str, number: str | None) -> Page:  # type: ignore[type-arg]
    """Give one page of rows of a verdict."""
    paginator = CountedPaginator(
        queries.staged(upload, verdict), ROWS_PER_PAGE, upload.counts.get(verdict, 0)
    )
    page = paginator.get_page(number)
    page.object_list = [shown_row(change, target) for change in queries.changes_of(page.object_list, target)]
    return page


def shown_row(change: RowChange, target: Target) -> ShownRow:
    """Write one row as people read it: what changes, cell by cell; or what is wrong."""
    titles = {column.code: column for column in target.columns}
    if change.verdict == "changed":
        cells = [_cell(titles, code, before, after) for code, (before, after) in change.changes.items()]
    elif change.verdict == "refused":
        cells = []
    else:
        cells = [
            _cell(titles, code, None, value)
            for code, value in change.values.items()
            if value is not None and code not in target.key
        ]
    prefix = files.problem_prefix(target, change.values)
    return ShownRow(
        number=change.number,
        key=change.key or _key_of(change, target),
        verdict=change.verdict,
        word=str(VERDICT_WORDS[change.verdict]),
        cells=tuple(cells if change.verdict == "changed" else cells[:VALUES_SHOWN]),
        more=tuple(() if change.verdict == "changed" else cells[VALUES_SHOWN:]),
        problems=tuple(
            (
                prefix + _title(titles, problem.column),
                problem.value,
                problem.sentence,
                problem.hint,
            )
            for problem in change.problems
        ),
    )


def _cell(titles: Mapping[str, Column], code: str, before: Any, after: Any) -> tuple[str, str, str]:
    """Write one cell: name, before, after."""
    column = titles.get(code) or titles.get(f"{code}_0")
    shown = column.shown if column else str
    return (
        _title(titles, code),
        "" if before is None else shown(before),
        "" if after is None else shown(after),
    )


def _title(titles: Mapping[str, Column], code: str) -> str:
    """Name a column."""
    if code in titles:
        return str(titles[code].title)
    return next((str(column.title) for column in OF_WIDE_ROWS if column.code == code), code)


def _key_of(change: RowChange, target: Target) -> str:
    """Write the key of a row as people know it."""
    return " · ".join(str(change.values[code]) for code in target.key if change.values.get(code) is not None)
