"""What students and staff have in common when rows are compared: reading, doubles, and who is meant."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from django.db.models import Q
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import HOLDERS, Scope
from dienrong.core import clock
from dienrong.core.row_changes import CellProblem, RowChange, Verdict
from dienrong.core.text import search_key
from dienrong.registry import queries as registry
from dienrong.registry.models import School
from dienrong.rosters import cells, codes, vault
from dienrong.rosters.models import PersonKind, VaultEntry
from dienrong.rosters.vault import Identity

HIDDEN = "•••"
"""Stands for a name or number that is kept and that the reader may not see."""

MOST_ROWS = 2000
CODE_COLUMN = {PersonKind.STUDENT: "student_code", PersonKind.STAFF: "staff_code"}
COLUMNS = {PersonKind.STUDENT: cells.STUDENT_COLUMNS, PersonKind.STAFF: cells.STAFF_COLUMNS}

Rows = Iterable[tuple[int, Mapping[str, Any]]]


@dataclasses.dataclass(slots=True)
class Row:
    """One row on its way: its clean cells, why it cannot be taken, and what is kept about the person."""

    number: int
    clean: dict[str, Any]
    problems: list[CellProblem]
    code_digest: str = ""
    personal_id_digest: str | None = None
    school: School | None = None
    entry: VaultEntry | None = None
    identity: Identity | None = None
    verdict: Verdict = "new"
    changes: dict[str, tuple[Any, Any]] = dataclasses.field(default_factory=dict)

    def refuse(self, column: str, sentence: str, hint: str = "") -> None:
        """Say why the row cannot be taken."""
        self.problems.append(cells.problem(column, self.clean.get(column, ""), sentence, hint))

    def settle(self) -> None:
        """Give the verdict once everything was looked at."""
        if self.problems:
            self.verdict, self.changes = "refused", {}
        elif self.entry is None:
            self.verdict = "new"
            self.changes = {column: (None, value) for column, value in self.clean.items()}
        else:
            self.verdict = "changed" if self.changes else "unchanged"

    def as_change(self, code_column: str) -> RowChange:
        """Give what the importing room shows."""
        return RowChange(
            number=self.number,
            key=str(self.clean.get(code_column, "")),
            verdict=self.verdict,
            values=self.clean,
            changes=self.changes,
            problems=tuple(self.problems),
        )

    def merged_identity(self, code_column: str) -> Identity:
        """Give the identity after the row: what is kept, overwritten by what the row says."""
        kept = self.identity
        said = {name: self.clean.get(name) for name in vault.IDENTITY_CELLS}
        said["code"] = self.clean.get(code_column)
        return Identity(
            **{
                name: (getattr(kept, name) if kept else "") if value is None else value
                for name, value in said.items()
            }
        )


AnyRow = TypeVar("AnyRow", bound=Row)


def read_rows(
    rows: Rows, kind: PersonKind, *, seen: dict[str, int] | None, are_clean: bool, row_class: type[AnyRow]
) -> list[AnyRow]:
    """Read the rows, make the digests, and refuse whoever stands in the file a second time.

    Rows that ``as_change`` gave are clean and are not read again.
    """
    today, code_column = clock.today(), CODE_COLUMN[kind]
    digest_code, digest_personal_id = vault.code_digester(kind), vault.personal_id_digester(kind)
    seen = {} if seen is None else seen
    found: list[AnyRow] = []
    for number, values in rows:
        clean, problems = (dict(values), []) if are_clean else cells.read(values, COLUMNS[kind], today)
        row = row_class(number=number, clean=clean, problems=problems)
        if code := clean.get(code_column):
            row.code_digest = digest_code(code)
            _refuse_double(row, row.code_digest, code_column, seen)
        if personal_id := clean.get("personal_id"):
            row.personal_id_digest = digest_personal_id(personal_id)
            _refuse_double(row, row.personal_id_digest, "personal_id", seen)
        found.append(row)
    if len(found) > MOST_ROWS:
        raise ValueError(f"at most {MOST_ROWS} rows are compared at a time. Got {len(found)}.")
    return found


def find_schools(rows: Sequence[Row], scope: Scope) -> None:
    """Find the schools of the rows among those of the scope; one sentence serves unknown and foreign ones."""
    wanted = {row.clean["school_id"] for row in rows if "school_id" in row.clean}
    schools = registry.schools_in(scope).prefetch_related(None).select_related(None)
    schools = schools.filter(school_id__in=wanted).only("school_id", "levels")
    by_code = {school.school_id: school for school in schools}
    for row in rows:
        if "school_id" not in row.clean:
            continue
        row.school = by_code.get(row.clean["school_id"])
        if row.school is None:
            row.refuse(
                "school_id",
                _("No open school in your charge has this code."),
                _("Check the code on the page of the school."),
            )


def find_people(rows: Sequence[Row], kind: PersonKind) -> None:
    """Find the vault's entries by code or personal number, and refuse rows that mix two people up."""
    by_code_wanted = {row.code_digest for row in rows if row.code_digest}
    by_id_wanted = {row.personal_id_digest for row in rows if row.personal_id_digest}
    # two questions, each answered by its own index; one question with "or" reads the whole vault
    of_kind = VaultEntry.objects.filter(kind=kind)
    entries = {entry.pk: entry for entry in of_kind.filter(code_digest__in=by_code_wanted)}
    for entry in of_kind.filter(personal_id_digest__in=by_id_wanted):
        entries.setdefault(entry.pk, entry)
    by_code: dict[str, VaultEntry] = {}
    by_id: dict[str, VaultEntry] = {}
    for entry in entries.values():
        by_code[entry.code_digest] = entry
        if entry.personal_id_digest:
            by_id[entry.personal_id_digest] = entry
    claimed: dict[str, int] = {}
    sealer = vault.sealer()
    for row in rows:
        owner = by_code.get(row.code_digest)
        holder = by_id.get(row.personal_id_digest or "")
        row.entry = owner or holder
        if row.entry is None:
            continue
        row.identity = vault.identity_of(row.entry, by=sealer)
        other_row = claimed.setdefault(row.entry.study_id, row.number)
        if other_row != row.number:
            row.refuse("", _("Row %(n)d is about the same person.") % {"n": other_row})
        if owner is None:
            _demand_agreement(row, "personal_id")
        elif holder is not None and holder is not owner:
            row.refuse(
                "personal_id",
                _("This personal number belongs to another person on the lists."),
                _("Check the number and the code on the papers of both."),
            )
        elif holder is None and row.personal_id_digest and owner.personal_id_digest:
            row.refuse(
                "personal_id",
                _("Another personal number is kept for this code."),
                _(
                    "Check the code; if the number that is kept is wrong, correct it on the page of the person."
                ),
            )


def refuse_strangers(rows: Sequence[Row], within: set[str], code_column: str) -> None:
    """Let people of other units in only where name and date of birth agree, and show nothing of them else."""
    for row in rows:
        if row.entry is not None and row.entry.study_id not in within and not row.problems:
            _demand_agreement(row, code_column)


def compare_identity(row: Row, code_column: str, *, open_names: bool) -> None:
    """Note which cells of the identity differ; what was kept shows only to those who may see names."""
    assert row.identity is not None
    for column in (code_column, "full_name", "birth_date", "personal_id", "ethnicity"):
        kept = getattr(row.identity, "code" if column == code_column else column)
        said = row.clean.get(column)
        if said is not None and said != kept:
            row.changes[column] = ((kept if open_names else HIDDEN) if kept else None, said)


def opens_names(scope: Scope) -> bool:
    """Tell whether a scope is held by somebody who may see names."""
    return bool(HOLDERS["view_identities"] & scope.roles)


def people_within(model: Any, owner: str, study_ids: Iterable[str], scope: Scope) -> set[str]:
    """Give those of the people who have, or had in any year, a place at a school of the scope."""
    if scope.is_national:
        return set(study_ids)
    if scope.is_empty:
        return set()
    places = model.objects.filter(within_schools(scope), **{f"{owner}__in": list(study_ids)})
    return set(places.values_list(f"{owner}_id", flat=True))


def within_schools(scope: Scope) -> Q:
    """Limit places to the schools, open or closed, of a scope that is neither national nor empty."""
    schools = School.objects.filter(
        Q(province__code__in=scope.provinces)
        | Q(commune__code__in=scope.communes)
        | Q(school_id__in=scope.schools)
    )
    return Q(school__in=schools.order_by().values("pk"))


def check_school_year(school_year: str) -> None:
    """Refuse what is no school year."""
    if not codes.is_school_year(school_year):
        raise ValueError(f"school_year must be such as '2026-2027'. Got {school_year!r}.")


def _refuse_double(row: Row, digest: str, column: str, seen: dict[str, int]) -> None:
    """Refuse the second row with the same digest."""
    first = seen.setdefault(digest, row.number)
    if first != row.number:
        row.refuse(
            column,
            _("Row %(n)d of this file has the same value.") % {"n": first},
            _("Keep one of the two rows."),
        )


def _demand_agreement(row: Row, column: str) -> None:
    """Refuse a row whose name or date of birth is not that of the person it points to."""
    assert row.identity is not None
    same_name = search_key(row.clean.get("full_name", "")) == search_key(row.identity.full_name)
    if not same_name or row.clean.get("birth_date") != row.identity.birth_date:
        row.refuse(
            column,
            _("This code or number is kept for somebody with another name or date of birth."),
            _("Check code, name and date of birth on the papers; ask the former school where all are right."),
        )
