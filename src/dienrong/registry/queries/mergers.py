"""What a batch of mergers would change: lines resolved, conflicts named, schools and pupils before and after."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from django.db.models import Count as CountRows
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import Scope
from dienrong.core import clock
from dienrong.core.formats import day_text
from dienrong.registry.frame import Ledger, Transfer
from dienrong.registry.models import AdministrativeUnit, MergerBatch, MergerLine, School, SchoolVersion
from dienrong.registry.queries.comparing import communes_by_code, schools_by_code
from dienrong.registry.queries.frame import ALL_GRADES, counts_until, held_by, moves_until, newest_school_year
from dienrong.registry.queries.history import former_codes
from dienrong.registry.versions import joined_levels


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a batch as it was written down.

    Parameters
    ----------
    line_number : int
        Its number, by which conflicts name it.
    kind : str
        merge, close, rename or recode.
    predecessor_codes : tuple of str
        The codes of the schools before.
    successor_code : str
        Of a merge: one of them, another open school or a new code; of a recode: the new code.
    successor_name : str
        The name afterwards; needed of a new school and of a renaming.
    commune_code : str
        The commune afterwards; that of the first school where it is empty.
    """

    line_number: int
    kind: str
    predecessor_codes: tuple[str, ...]
    successor_code: str = ""
    successor_name: str = ""
    commune_code: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class LineProblem:
    """Why a line cannot be applied, and what to do."""

    line_number: int
    sentence: str
    hint: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLine:
    """A line with the schools and the commune that it means; ``successor`` is None where it is a new school."""

    line: Line
    predecessors: tuple[School, ...] = ()
    successor: School | None = None
    commune: AdministrativeUnit | None = None
    problems: tuple[LineProblem, ...] = ()

    @property
    def ending(self) -> tuple[School, ...]:
        """The schools that end by the line."""
        if self.line.kind not in (MergerLine.Kind.MERGE, MergerLine.Kind.CLOSE):
            return ()
        kept = self.successor.pk if self.successor is not None else None
        return tuple(school for school in self.predecessors if school.pk != kept)

    @property
    def makes_school(self) -> bool:
        """Whether the line makes a new school."""
        return self.line.kind == MergerLine.Kind.MERGE and self.successor is None

    @property
    def code_after(self) -> str:
        """The code of the school afterwards; empty where there is none."""
        if self.line.kind == MergerLine.Kind.CLOSE:
            return ""
        if self.line.kind == MergerLine.Kind.RENAME or not self.line.successor_code:
            return self.predecessors[0].school_id if self.predecessors else ""
        return self.line.successor_code

    @property
    def name_after(self) -> str:
        """The name of the school afterwards."""
        if self.line.successor_name or self.line.kind == MergerLine.Kind.CLOSE:
            return self.line.successor_name
        kept = self.successor or (self.predecessors[0] if self.predecessors else None)
        return kept.name if kept is not None else ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BeforeAfter:
    """A number before and after."""

    title: str
    before: int
    after: int

    @property
    def difference(self) -> int:
        """By how much it changes."""
        return self.after - self.before


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BatchPlan:
    """What a batch would change.

    ``pupils`` are those of the schools of the lines; ``pupils_closed`` those of schools that close without
    successor, who are no longer counted anywhere until other schools count them.
    """

    lines: tuple[PlannedLine, ...]
    problems: tuple[LineProblem, ...]
    schools: BeforeAfter
    by_commune: tuple[BeforeAfter, ...]
    by_level: tuple[BeforeAfter, ...]
    vanishing: tuple[School, ...]
    pupils: BeforeAfter
    pupils_closed: int
    school_year: str

    @property
    def keeps_pupils(self) -> bool:
        """Whether every pupil is counted once before and once after, those of closed schools apart."""
        return self.pupils.before == self.pupils.after + self.pupils_closed


def batches_in(scope: Scope) -> QuerySet[MergerBatch]:
    """List the batches of a scope, the newest first, with the number of their lines."""
    found = MergerBatch.objects.select_related("province", "created_by").annotate(n_lines=CountRows("lines"))
    return found if scope.is_national else found.filter(province__code__in=scope.provinces)


def batch_by_key(key: int) -> MergerBatch | None:
    """Give a batch, whoever asks; the caller asks whether it may be shown."""
    return MergerBatch.objects.select_related("province", "created_by").filter(pk=key).first()


def lines_of(batch: MergerBatch) -> list[Line]:
    """Give the lines of a batch as they were written down."""
    return [
        Line(
            line_number=row.line_number,
            kind=row.kind,
            predecessor_codes=tuple(row.predecessor_codes.split()),
            successor_code=row.successor_code,
            successor_name=row.successor_name,
            commune_code=row.commune_code,
        )
        for row in batch.lines.order_by("line_number")
    ]


def preview_batch(batch: MergerBatch) -> BatchPlan:
    """Say what a batch would change, as the registry is now."""
    return preview_lines(batch.province, lines_of(batch), on_date=batch.effective_date)


def preview_lines(province: AdministrativeUnit, lines: Sequence[Line], *, on_date: date) -> BatchPlan:
    """Say what lines would change; nothing is written, as many queries for one line as for a thousand."""
    planned = resolve_lines(province, lines, on_date=on_date)
    sound = [plan for plan in planned if not plan.problems]
    ending = [school for plan in sound for school in plan.ending]
    vanishing = [
        *ending,
        *(plan.predecessors[0] for plan in sound if plan.line.kind == MergerLine.Kind.RECODE),
    ]
    by_commune, by_level, schools = _schools_before_after(province, sound)
    pupils, closed, year = _pupils_before_after(province, sound, on_date)
    return BatchPlan(
        lines=tuple(planned),
        problems=tuple(problem for plan in planned for problem in plan.problems),
        schools=schools,
        by_commune=by_commune,
        by_level=by_level,
        vanishing=tuple(sorted(vanishing, key=lambda school: school.school_id)),
        pupils=pupils,
        pupils_closed=closed,
        school_year=year,
    )


class _Known:
    """All that is asked of the database for the lines of a batch."""

    def __init__(self, province: AdministrativeUnit, lines: Sequence[Line], on_date: date) -> None:
        codes = {code for line in lines for code in (*line.predecessor_codes, line.successor_code) if code}
        self.province, self.on_date = province, on_date
        self.schools = schools_by_code(codes)
        self.former = former_codes(code for code in codes if code not in self.schools)
        versions = SchoolVersion.objects.filter(school__in=self.schools.values(), valid_to__isnull=True)
        self.since = dict(versions.values_list("school_id", "valid_from"))
        self.communes = communes_by_code({line.commune_code for line in lines if line.commune_code}, on_date)
        self.lines_of_code: dict[str, list[int]] = {}
        for line in lines:
            for code in {*line.predecessor_codes, line.successor_code} - {""}:
                self.lines_of_code.setdefault(code, []).append(line.line_number)


def resolve_lines(province: AdministrativeUnit, lines: Sequence[Line], *, on_date: date) -> list[PlannedLine]:
    """Find the schools and communes that lines mean, and say what is wrong with each."""
    known = _Known(province, lines, on_date)
    return [_resolve(line, known) for line in lines]


def _resolve(line: Line, known: _Known) -> PlannedLine:
    """Resolve one line."""
    problems: list[LineProblem] = []

    def object_to(sentence: str, hint: str) -> None:
        problems.append(LineProblem(line.line_number, sentence, hint))

    predecessors = tuple(
        known.schools[code] for code in dict.fromkeys(line.predecessor_codes) if code in known.schools
    )
    successor = known.schools.get(line.successor_code) if line.kind == MergerLine.Kind.MERGE else None
    if successor is not None and successor not in predecessors:
        predecessors = (*predecessors, successor)
    for code in dict.fromkeys(line.predecessor_codes):
        _check_school(code, known, object_to)
    if successor is not None and successor.school_id not in line.predecessor_codes:
        _check_school(successor.school_id, known, object_to)
    for code in sorted({*line.predecessor_codes, line.successor_code} - {""}):
        others = [number for number in known.lines_of_code[code] if number != line.line_number]
        if others:
            object_to(
                _("Code %(code)s stands in line %(n)d too.") % {"code": code, "n": others[0]},
                _("Put everything about a school into one line."),
            )
    check = CHECKS.get(line.kind)
    if check is None:
        object_to(
            _("“%(kind)s” is not known.") % {"kind": line.kind},
            _("A line merges, closes, renames or gives a new code."),
        )
    else:
        check(line, predecessors, known, object_to)
    commune = known.communes.get(line.commune_code)
    if line.commune_code and (commune is None or commune.parent_id != known.province.pk):
        object_to(
            _("No commune of the province has code %(code)s.") % {"code": line.commune_code},
            _("Choose a commune of the province, or leave it empty."),
        )
    return PlannedLine(
        line=line,
        predecessors=predecessors,
        successor=successor,
        commune=commune,
        problems=tuple(problems),
    )


def _check_school(code: str, known: _Known, object_to) -> None:
    """Object to a school that is unknown, elsewhere, closed or changed later."""
    school = known.schools.get(code)
    if school is None:
        now = known.former.get(code)
        object_to(
            _("No school has code %(code)s.") % {"code": code},
            _("It has code %(now)s now; write that.") % {"now": now} if now else _("Check the code."),
        )
    elif school.province_id != known.province.pk:
        object_to(
            _("School %(code)s lies in another province.") % {"code": code},
            _("A batch holds schools of one province; take it out."),
        )
    elif not school.is_open:
        object_to(
            _("School %(code)s is closed since %(day)s.")
            % {"code": code, "day": day_text(school.closed_date)},
            _("Take it out, or undo its closing first."),
        )
    elif school.pk in known.since and known.on_date <= known.since[school.pk]:
        object_to(
            _("Something is known of school %(code)s from %(day)s on.")
            % {"code": code, "day": day_text(known.since[school.pk])},
            _("The batch must take effect later than that, or the later change be undone."),
        )


def _check_merge(line: Line, predecessors: Sequence[School], known: _Known, object_to) -> None:
    """Object to a merger without partners, without successor, or with one that cannot be."""
    if len({*line.predecessor_codes, line.successor_code} & set(known.schools)) < 2:
        object_to(_("A merger needs two schools or more."), _("Add the schools that merge."))
    if not line.successor_code:
        object_to(
            _("It is not said which school goes on."),
            _("Choose one of the schools, or give a new code and name."),
        )
    elif line.successor_code not in known.schools:
        if line.successor_code in known.former:
            object_to(
                _("Code %(code)s belonged to another school.") % {"code": line.successor_code},
                _("Codes are never given again; ask for a new one."),
            )
        if not line.successor_name:
            object_to(_("The new school has no name."), _("Write its name."))


def _check_close(line: Line, predecessors: Sequence[School], known: _Known, object_to) -> None:
    """Object to a closing that names a successor, or no school."""
    if len(line.predecessor_codes) != 1:
        object_to(_("A line closes one school."), _("Write one line for each school."))
    if line.successor_code:
        object_to(
            _("A school that closes has no successor."),
            _("If its pupils go to one school, make it a merger."),
        )


def _check_rename(line: Line, predecessors: Sequence[School], known: _Known, object_to) -> None:
    """Object to a renaming without name, or of several schools."""
    if len(line.predecessor_codes) != 1:
        object_to(_("A line renames one school."), _("Write one line for each school."))
    if not line.successor_name or any(school.name == line.successor_name for school in predecessors):
        object_to(_("The new name is missing."), _("Write the name after the change."))
    if line.successor_code not in ("", *line.predecessor_codes):
        object_to(_("A renaming keeps the code."), _("Choose “give a new code” to change the code too."))


def _check_recode(line: Line, predecessors: Sequence[School], known: _Known, object_to) -> None:
    """Object to a new code that is missing or taken."""
    if len(line.predecessor_codes) != 1:
        object_to(_("A line gives one school a new code."), _("Write one line for each school."))
    if not line.successor_code or line.successor_code in line.predecessor_codes:
        object_to(_("The new code is missing."), _("Write the code after the change."))
    elif line.successor_code in known.schools or line.successor_code in known.former:
        object_to(
            _("Code %(code)s belongs to another school.") % {"code": line.successor_code},
            _("Codes are never given again; ask for a new one."),
        )


CHECKS = {
    MergerLine.Kind.MERGE: _check_merge,
    MergerLine.Kind.CLOSE: _check_close,
    MergerLine.Kind.RENAME: _check_rename,
    MergerLine.Kind.RECODE: _check_recode,
}


def _schools_before_after(
    province: AdministrativeUnit, sound: Iterable[PlannedLine]
) -> tuple[tuple[BeforeAfter, ...], tuple[BeforeAfter, ...], BeforeAfter]:
    """Count the open schools of a province before and after, by commune (those that change) and by level."""
    rows = School.objects.filter(province=province, is_open=True).values_list(
        "pk", "commune__code", "commune__full_name", "levels"
    )
    before = {pk: (code, name, levels) for pk, code, name, levels in rows}
    after = dict(before)
    for place, plan in enumerate(sound):
        for school in plan.ending:
            after.pop(school.pk, None)
        if plan.line.kind == MergerLine.Kind.CLOSE:
            continue
        commune = plan.commune or plan.predecessors[0].commune
        model = plan.successor or plan.predecessors[0]
        if plan.line.kind != MergerLine.Kind.MERGE or plan.successor is not None:
            commune = plan.commune or model.commune
        levels = joined_levels(plan.predecessors)
        after[model.pk if not plan.makes_school else -1 - place] = (commune.code, commune.full_name, levels)
    return (
        tuple(row for row in _count_by(before, after, (0, 1)) if row.difference),
        _count_by(before, after, (2,)),
        BeforeAfter(title="", before=len(before), after=len(after)),
    )


def _count_by(
    before: dict[int, tuple[str, str, str]], after: dict[int, tuple[str, str, str]], places: tuple[int, ...]
) -> tuple[BeforeAfter, ...]:
    """Count schools by some of what is known of them."""
    counts = [
        Counter(tuple(values[place] for place in places) for values in schools.values())
        for schools in (before, after)
    ]
    return tuple(
        BeforeAfter(title=key[-1], before=counts[0][key], after=counts[1][key])
        for key in sorted({*counts[0], *counts[1]})
    )


def _pupils_before_after(
    province: AdministrativeUnit, sound: Sequence[PlannedLine], on_date: date
) -> tuple[BeforeAfter, int, str]:
    """Count the pupils of the schools of the lines before and after, by the rule of the frame."""
    day = max(on_date, clock.today())
    year = newest_school_year(day, province)
    schools = {school.pk: school for plan in sound for school in plan.predecessors}
    moves = moves_until(day, year, ALL_GRADES)
    counts = counts_until(day, year, ALL_GRADES, moves.with_origins(schools))
    held = held_by(Ledger(counts, moves.transfers), schools)
    before = {pk: sum(count.n_students for count in grades.values()) for pk, grades in held.items()}
    ended = {school.pk for plan in sound for school in plan.ending}
    planned = [
        Transfer(
            order=len(moves.transfers) + place,
            on_date=on_date,
            kind="merge",
            predecessor=school.pk,
            successor=plan.successor.pk if plan.successor is not None else -1 - place,
        )
        for place, plan in enumerate(sound)
        if plan.line.kind == MergerLine.Kind.MERGE
        for school in plan.ending
    ]
    made = {-1 - place for place, plan in enumerate(sound) if plan.makes_school}
    going_on = (set(schools) - ended) | made
    later = held_by(Ledger(counts, (*moves.transfers, *planned)), going_on)
    after = sum(count.n_students for grades in later.values() for count in grades.values())
    closed = sum(
        before[school.pk]
        for plan in sound
        if plan.line.kind == MergerLine.Kind.CLOSE
        for school in plan.predecessors
    )
    return BeforeAfter(title="", before=sum(before.values()), after=after), closed, year
