"""Pages of a list by key: rows that come or go meanwhile neither double nor hide another row."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from dienrong.api.problems import NotAccepted
from dienrong.api.types import Paging


def page_of(
    request: HttpRequest,
    rows: QuerySet[Any],
    *,
    keys: tuple[str, ...],
    paging: Paging,
    write: Callable[[Any], dict[str, Any]],
) -> dict[str, Any]:
    """Cut one page out of rows and write each of them; see ``cut``."""
    shown, following = cut(request, rows, keys=keys, paging=paging)
    return {"items": [write(row) for row in shown], "next": following}


def cut(
    request: HttpRequest, rows: QuerySet[Any], *, keys: tuple[str, ...], paging: Paging
) -> tuple[list[Any], str | None]:
    """Cut one page out of rows, in the order of the keys, which together name one row.

    Parameters
    ----------
    request : HttpRequest
        The request, whose address the next page repeats.
    rows : QuerySet
        Rows of the caller's scope, filtered.
    keys : tuple of str
        Fields that order the rows and together are unique.
    paging : Paging
        Cursor and size.

    Returns
    -------
    tuple of list and str
        The rows, and the address of the next page, None at the end.

    Raises
    ------
    NotAccepted
        If the cursor is none of ours.
    """
    if paging.after is not None:
        rows = rows.filter(_beyond(keys, _read(paging.after, rows, keys)))
    found = list(rows.order_by(*keys)[: paging.limit + 1])
    shown = found[: paging.limit]
    more = len(found) > paging.limit
    return shown, _address(request, cursor_of(_key_of(shown[-1], keys))) if more else None


def cursor_of(key: list[Any]) -> str:
    """Write a key as a cursor."""
    text = json.dumps(key, ensure_ascii=False, separators=(",", ":"), default=str)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _address(request: HttpRequest, cursor: str) -> str:
    """Give the address of the page after a cursor, all else as asked."""
    query = request.GET.copy()
    query["after"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def _key_of(row: Any, keys: tuple[str, ...]) -> list[Any]:
    """Give the values of a row's keys; ``unit__code`` walks to the unit."""
    values = []
    for key in keys:
        value = row
        for part in key.split("__"):
            value = getattr(value, part)
        values.append(value)
    return values


def _read(cursor: str, rows: QuerySet[Any], keys: tuple[str, ...]) -> list[Any]:
    """Read a cursor back, each value in the kind of its field."""
    try:
        values = _values(cursor, len(keys))
        return [_value(rows.model, key, value) for key, value in zip(keys, values, strict=True)]
    except (ValueError, ValidationError):
        raise _foreign_cursor() from None


def _values(cursor: str, n_values: int) -> list[Any]:
    """Read the values of a cursor as JSON."""
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode()
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise _foreign_cursor() from None
    if not isinstance(values, list) or len(values) != n_values:
        raise _foreign_cursor()
    return values


def _foreign_cursor() -> NotAccepted:
    """Make the refusal of a cursor that is none of ours."""
    return NotAccepted(
        _("The cursor “after” is none that this list gave."),
        hint=_("Begin with the first page, then follow “next”."),
    )


def _value(model: type[Model], key: str, value: Any) -> Any:
    """Read one value of a cursor in the kind of its field."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise ValueError
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value)):
        raise ValueError
    if isinstance(value, int) and abs(value) >= 2**63:
        raise ValueError
    *path, name = key.split("__")
    for part in path:
        model = model._meta.get_field(part).related_model  # type: ignore[assignment]
    return model._meta.get_field(name).to_python(value)


def _beyond(keys: tuple[str, ...], values: list[Any]) -> Q:
    """Keep the rows that come after a key: a later first part, or the same and a later second, and so on."""
    beyond, same = Q(), Q()
    for key, value in zip(keys, values, strict=True):
        beyond |= same & Q(**{f"{key}__gt": value})
        same &= Q(**{key: value})
    return beyond & Q(**{f"{keys[0]}__gte": values[0]})  # said again, so that an index finds the place
