"""What writing and taking back have in common for students and staff."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from dienrong.core.refusals import Conflict
from dienrong.core.row_changes import RowChange, Written
from dienrong.core.sealing import Sealer
from dienrong.registry.signals import schools_changed
from dienrong.rosters import bulk, codes, vault
from dienrong.rosters.models import Consent, Purpose, VaultEntry
from dienrong.rosters.queries.people import Row


class RosterChanged(Conflict):
    """The lists changed between looking and writing, or since the writing that is to be taken back."""

    code = "rosters.changed_meanwhile"


def rows_of(changes: Iterable[RowChange]) -> list[tuple[int, Mapping[str, Any]]]:
    """Give the rows that are to be written: the new and the changed ones."""
    return [(change.number, change.values) for change in changes if change.verdict in ("new", "changed")]


def demand_nothing_refused(plans: Sequence[Row]) -> None:
    """Refuse the whole where a row that could be taken before cannot be taken now."""
    refused = [row for row in plans if row.verdict == "refused"]
    if refused:
        raise changed_meanwhile([row.number for row in refused])


def changed_meanwhile(numbers: Sequence[int]) -> RosterChanged:
    """Make the refusal; it names rows of the file, never people."""
    return RosterChanged(
        _("The lists have changed since then; %(n)d rows no longer fit. The first are rows %(rows)s.")
        % {"n": len(numbers), "rows": ", ".join(str(number) for number in sorted(numbers)[:5])},
        hint=_("Nothing was written. Open the preview again to see how things stand now."),
    )


def entry_after(
    row: Row,
    *,
    kind: str,
    code_column: str,
    study_id: str,
    purpose: Purpose,
    until: datetime.date,
    sealer: Sealer,
) -> VaultEntry:
    """Give the vault's entry after a row; an identity that did not change keeps its seal."""
    identity = row.merged_identity(code_column)
    present = row.entry
    if present is not None and identity == row.identity:
        present.retention_until = max(present.retention_until, until)
        return present
    entry = VaultEntry(
        study_id=study_id,
        kind=kind,
        sealed=vault.seal(study_id, identity, by=sealer),
        purpose_id=purpose.pk,
        retention_until=until if present is None else max(present.retention_until, until),
        code_digest=row.code_digest,
        personal_id_digest=row.personal_id_digest,
    )
    if present is not None:
        entry.purpose_id = present.purpose_id
        entry.personal_id_digest = row.personal_id_digest or present.personal_id_digest
    return entry


def keep_until(school_year: str, purpose: Purpose) -> datetime.date:
    """Give the day until which identities of a school year are kept."""
    return codes.months_later(codes.last_day_of(school_year), purpose.retention_months)


def write_entries(entries: Sequence[VaultEntry]) -> None:
    """Write entries of the vault."""
    fields = ("sealed", "code_digest", "personal_id_digest", "purpose", "retention_until")
    bulk.upsert(VaultEntry, entries, key=("study_id",), fields=fields)


def entry_state(entry: VaultEntry | None) -> dict[str, Any] | None:
    """Give an entry as JSON: sealed as it stands, so that no name leaves the vault for the sake of undoing."""
    if entry is None:
        return None
    return {
        "sealed": base64.b64encode(bytes(entry.sealed)).decode("ascii"),
        "code_digest": entry.code_digest,
        "personal_id_digest": entry.personal_id_digest,
        "purpose_id": entry.purpose_id,
        "retention_until": entry.retention_until.isoformat(),
    }


def entry_of_state(study_id: str, kind: str, state: Mapping[str, Any]) -> VaultEntry:
    """Give an entry back from its JSON."""
    return VaultEntry(
        study_id=study_id,
        kind=kind,
        sealed=base64.b64decode(state["sealed"]),
        code_digest=state["code_digest"],
        personal_id_digest=state["personal_id_digest"],
        purpose_id=state["purpose_id"],
        retention_until=datetime.date.fromisoformat(state["retention_until"]),
    )


def fields_state(row: models.Model, fields: Iterable[str]) -> dict[str, Any]:
    """Give fields as JSON."""
    return {name: plain(getattr(row, name)) for name in fields}


def plain(value: Any) -> Any:
    """Write dates as ISO text."""
    return value.isoformat() if isinstance(value, datetime.date) else value


def demand_same(written: Sequence[Written], present: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse to take back what was changed since."""
    changed = [item.number for item in written if present.get(item.key) != item.after]
    if changed:
        raise changed_meanwhile(changed)


def demand_no_consent(written: Sequence[Written]) -> None:
    """Refuse to remove people for whom consent was recorded since."""
    new = {item.key: item.number for item in written if item.before is None}
    since = Consent.objects.filter(study_id__in=new).values_list("study_id", flat=True)
    if numbers := [new[study_id] for study_id in since]:
        raise changed_meanwhile(numbers)


def tell_schools(keys: Iterable[int]) -> None:
    """Tell the rooms above that lists of schools changed."""
    found = sorted(set(keys))
    if found:
        schools_changed.send(sender=VaultEntry, school_keys=found)
