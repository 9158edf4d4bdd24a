"""Reads of uploads: a person sees the own ones alone."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.accounts.permissions import Scope
from dienrong.core.row_changes import CellProblem, RowChange
from dienrong.core.shell import Link
from dienrong.imports import columns, kept
from dienrong.imports.columns import Target
from dienrong.imports.matching import Match
from dienrong.imports.models import MatchMemory, StagedRow, Upload
from dienrong.imports.numeric.headers import Header
from dienrong.imports.reading import Layout

WRITTEN_VERDICTS = ("new", "changed")


def may_import(user: Any, target: Target) -> bool:
    """Tell whether a person imports this kind of data somewhere."""
    needed = ("import_data", *target.permissions)
    return not permissions.scope_of(user).is_empty and all(permissions.may(user, name) for name in needed)


def targets_for(user: Any) -> list[Target]:
    """List what a person may import."""
    return [target for target in columns.targets() if may_import(user, target)]


def target_for(user: Any, code: str) -> Target | None:
    """Give one target, if this person may import it."""
    return next((target for target in targets_for(user) if target.code == code), None)


def uploads_for(user: Any) -> QuerySet[Upload]:
    """List the uploads of a person."""
    rows = Upload.objects.defer("layout")
    return rows.filter(created_by_id=user.pk) if getattr(user, "is_authenticated", False) else rows.none()


def upload_for(user: Any, upload_id: uuid.UUID | str) -> Upload | None:
    """Give one upload, if it is this person's and the person still may import such data."""
    if not getattr(user, "is_authenticated", False):
        return None
    found = Upload.objects.filter(created_by_id=user.pk, id=upload_id).first()
    return found if found is not None and target_for(user, found.target) is not None else None


def unit_of(user: Any) -> str:
    """Name the unit for which a person works, as ``kind:code``; the first of today's roles."""
    held = permissions.assignments_of(user)
    return f"{held[0].unit_kind}:{held[0].unit_code}" if held else ""


def scope_as_json(scope: Scope) -> dict[str, Any]:
    """Write a scope down, so that a later one can be held against it."""
    return {
        "is_national": scope.is_national,
        "provinces": sorted(scope.provinces),
        "communes": sorted(scope.communes),
        "schools": sorted(scope.schools),
    }


def taken_before(upload: Upload) -> Upload | None:
    """Give the last accepted upload of the same unit, kind and content."""
    same = Upload.objects.filter(
        unit=upload.unit, target=upload.target, sha256=upload.sha256, state=Upload.State.ACCEPTED
    ).exclude(id=upload.id)
    return same.select_related("created_by").defer("layout").order_by("-accepted_at").first()


def remembered(upload: Upload, signature: str) -> dict[str, str]:
    """Give what the columns of this layout meant last time for people of this unit."""
    rows = MatchMemory.objects.filter(unit=upload.unit, target=upload.target, signature=signature)
    return dict(next(iter(rows.values_list("mapping", flat=True)), {}))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What is known of a file before its rows are read."""

    layout: Layout
    matches: tuple[Match, ...]


def inspected(upload: Upload) -> Inspected | None:
    """Open what was found about a file; None where it was not looked at yet."""
    target = columns.target_of(upload.target)
    if not upload.layout:
        return None
    content = kept.unpacked(upload.layout, is_personal=target.is_personal)
    layout = dict(content["layout"])
    header = layout.pop("header")
    if header:
        header = Header(**{**header, "names": tuple(header["names"]), "notes": tuple(header["notes"])})
    layout = {name: tuple(value) if isinstance(value, list) else value for name, value in layout.items()}
    matches = tuple(Match(**{**match, "samples": tuple(match["samples"])}) for match in content["matches"])
    return Inspected(layout=Layout(header=header or None, **layout), matches=matches)


def staged(upload: Upload, verdict: str = "") -> QuerySet[StagedRow]:
    """List the rows of a preview, of one verdict or of all."""
    rows = StagedRow.objects.filter(upload=upload).order_by("number", "part")
    return rows.filter(verdict=verdict) if verdict else rows


def changes_of(rows: Iterable[StagedRow], target: Target) -> Iterator[RowChange]:
    """Open staged rows."""
    sealer = kept.rows_sealer()
    for row in rows:
        content = kept.unpacked(row.payload, is_personal=target.is_personal, sealer=sealer)
        yield RowChange(
            number=row.number,
            key=content["k"],
            verdict=row.verdict,  # type: ignore[arg-type]
            values=content["v"],
            changes={column: (pair[0], pair[1]) for column, pair in content["c"].items()},
            problems=tuple(
                CellProblem(column=column, value=value, sentence=sentence, hint=hint)
                for column, value, sentence, hint in content["p"]
            ),
        )


def change_as_json(change: RowChange) -> dict[str, Any]:
    """Write a change down as the payload of a staged row."""
    return {
        "k": change.key,
        "v": dict(change.values),
        "c": {column: list(pair) for column, pair in change.changes.items()},
        "p": [[cell.column, cell.value, cell.sentence, cell.hint] for cell in change.problems],
    }


def untouched_columns(upload: Upload, target: Target) -> list[columns.Column]:
    """Name the columns that the file does not bring and that stay as they are."""
    if target.spread is not None and len(target.columns) > 20:
        return []
    filled = set(upload.mapping.values())
    return [column for column in target.columns if column.code not in filled]


def expired(before: Any) -> QuerySet[Upload]:
    """List the uploads whose files and rows are to be deleted."""
    return Upload.objects.filter(created_at__lt=before, purged_at__isnull=True).defer("layout")


def links_of_request(request: HttpRequest) -> Iterable[Link]:
    """Offer the page in the navigation to those who may import something."""
    user = getattr(request, "user", None)
    if user is None or not permissions.may(user, "import_data"):
        return ()
    url = reverse("imports:home")
    return (
        Link(
            title=_("Import data"), url=url, is_current=request.path.startswith(url), order=33, group="data"
        ),
    )
