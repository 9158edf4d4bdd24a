"""Writing the audit log: one call, inside the transaction of the change."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import hashlib
import json
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.utils import translation
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.audit.models import AuditEntry
from dienrong.core import clock, requests
from dienrong.core.recording import ObjectName
from dienrong.core.text import clean_text

CHAIN_LOCK = 468_2026
HASHED_FIELDS = (
    "actor_id",
    "actor_name",
    "action",
    "object_kind",
    "object_id",
    "object_title",
    "before",
    "after",
    "request_id",
    "address",
    "previous_hash",
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ChainFault:
    """An entry that does not fit the one before it, or whose content is not what was written."""

    entry_id: int
    what: str


def record(
    *,
    action: str,
    actor: Any | None,
    obj: models.Model | ObjectName | None = None,
    title: str = "",
    before: Any = None,
    after: Any = None,
) -> AuditEntry:
    """Append an entry to the log, in the transaction of the change it tells of.

    Parameters
    ----------
    action : str
        What was done, as ``room.verb_in_past``: ``"cycles.step_done"``.
    actor : User or None
        Who did it; None is the system itself.
    obj : Model or ObjectName, optional
        The object; an ``ObjectName`` where it is no row.
    title : str, optional
        The object's name on pages, where it is not the row's own text.
    before, after : object, optional
        What changed, as JSON; dates, decimals and sets are written as text and lists.

    Returns
    -------
    AuditEntry
        The entry written.

    Raises
    ------
    RuntimeError
        If no transaction is open: the change and its entry could be parted by a crash.
    ValueError
        If the action does not name its room.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(
            "record() needs the transaction of the change: call it inside transaction.atomic()"
        )
    if "." not in action:
        raise ValueError(f"action must be 'room.what_was_done'. Got {action!r}.")
    _hold_chain()
    context = requests.current()
    last = AuditEntry.objects.order_by("-id").values_list("entry_hash", flat=True).first()
    name = obj if isinstance(obj, ObjectName) else _name_of(obj)
    person = actor if getattr(actor, "pk", None) else None
    entry = AuditEntry(
        at=clock.now(),
        actor=person,
        actor_name=_name_of_actor(person, context.via),
        action=action,
        object_kind=name.kind,
        object_id=name.key,
        object_title=clean_text(title or name.title)[:300],
        before=_plain(before),
        after=_plain(after),
        request_id=context.reference,
        address=context.address[:64],
        previous_hash=last or "",
    )
    entry.entry_hash = _hash_of(entry)
    entry.save()
    return entry


def verify_chain() -> tuple[ChainFault, ...]:
    """Walk the whole log and name every entry that was changed, and every gap where one was removed."""
    faults: list[ChainFault] = []
    previous = ""
    for entry in AuditEntry.objects.order_by("id").iterator(chunk_size=2000):
        if entry.previous_hash != previous:
            faults.append(ChainFault(entry_id=entry.pk, what="the entry before it was removed or changed"))
        if entry.entry_hash != _hash_of(entry):
            faults.append(ChainFault(entry_id=entry.pk, what="its content is not what was written"))
        previous = entry.entry_hash
    return tuple(faults)


def _name_of(row: models.Model | None) -> ObjectName:
    """Name a row by its model, its key and its text."""
    if row is None:
        return ObjectName("", "")
    return ObjectName(row._meta.label_lower, str(row.pk), str(row))


def _name_of_actor(person: Any | None, via: str) -> str:
    """Name who acted, with who lent the role (delegation) and the program that acts in that name."""
    if person is None:
        return ""
    lenders = permissions.delegators_of(person)
    if not lenders:
        return (f"{person} · {via}" if via else str(person))[:150]
    with translation.override(settings.LANGUAGE_CODE):
        addition = _("(by delegation of %(names)s)") % {"names": ", ".join(lenders)}
    return f"{person} {addition}{f' · {via}' if via else ''}"[:150]


def _hold_chain() -> None:
    """Let one transaction at a time append: SQLite has one writer anyway, PostgreSQL takes a lock."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])


def _hash_of(entry: AuditEntry) -> str:
    """Give the SHA-256 of an entry's content and of its predecessor's hash."""
    content = {name: getattr(entry, name) for name in HASHED_FIELDS}
    content["at"] = entry.at.astimezone(datetime.UTC).isoformat(timespec="microseconds")
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _plain(value: Any) -> Any:
    """Turn a value into what JSON keeps without loss of meaning."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(_plain(item) for item in value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    raise TypeError(f"an audit entry cannot hold a {type(value).__name__}; give its fields")
