"""Lines of a batch of mergers as they were written down, the schools that they mean, and what is wrong with each."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date

from django.utils.translation import gettext as _

from dienrong.core.formats import day_text
from dienrong.registry.columns import LEVELS
from dienrong.registry.models import AdministrativeUnit, MergerLine, School, SchoolVersion
from dienrong.registry.queries.comparing import communes_by_code, schools_by_code
from dienrong.registry.queries.history import accepted_for, former_codes
from dienrong.registry.queries.sharing import Shares, shareable, sharing_problem


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LinePart:
    """A school after a split as it was written down, with its pupils and classes by grade.

    ``code`` is that of the school itself, of another open school, or of a new one; a new one needs its name.
    """

    code: str
    name: str = ""
    commune_code: str = ""
    shares: Shares = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a batch as it was written down.

    Parameters
    ----------
    line_number : int
        Its number, by which conflicts name it.
    kind : str
        merge, split, open, close, rename or recode.
    predecessor_codes : tuple of str
        The codes of the schools before; none of an opening.
    successor_code : str
        Of a merge: one of them, another open school or a new code; of a recode or an opening: the new code.
    successor_name : str
        The name afterwards; needed of a new school and of a renaming.
    commune_code : str
        The commune afterwards; that of the first school where it is empty.
    levels : str
        Of an opening: the levels, such as ``"TH-THCS"``.
    parts : tuple of LinePart
        Of a split: the schools after it.
    """

    line_number: int
    kind: str
    predecessor_codes: tuple[str, ...]
    successor_code: str = ""
    successor_name: str = ""
    commune_code: str = ""
    levels: str = ""
    parts: tuple[LinePart, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class LineProblem:
    """Why a line cannot be applied, and what to do."""

    line_number: int
    sentence: str
    hint: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPart:
    """A school after a split: a part of a line with the school and the commune that it means."""

    part: LinePart
    school: School | None = None
    commune: AdministrativeUnit | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLine:
    """A line with the schools and the commune that it means; ``successor`` is None where it is a new school."""

    line: Line
    predecessors: tuple[School, ...] = ()
    successor: School | None = None
    commune: AdministrativeUnit | None = None
    parts: tuple[PlannedPart, ...] = ()
    school_year: str = ""
    problems: tuple[LineProblem, ...] = ()

    @property
    def ending(self) -> tuple[School, ...]:
        """The schools that end by the line."""
        if self.line.kind not in (MergerLine.Kind.MERGE, MergerLine.Kind.SPLIT, MergerLine.Kind.CLOSE):
            return ()
        kept = {part.school.pk for part in self.parts if part.school is not None}
        if self.successor is not None:
            kept.add(self.successor.pk)
        return tuple(school for school in self.predecessors if school.pk not in kept)

    @property
    def makes_school(self) -> bool:
        """Whether the line makes a new school."""
        return self.n_new > 0

    @property
    def n_new(self) -> int:
        """How many schools the line makes."""
        if self.line.kind == MergerLine.Kind.SPLIT:
            return sum(part.school is None for part in self.parts)
        if self.line.kind == MergerLine.Kind.OPEN:
            return 1
        return int(self.line.kind == MergerLine.Kind.MERGE and self.successor is None)

    @property
    def after(self) -> tuple[tuple[str, str, bool], ...]:
        """Code and name of every school afterwards, and whether it is a new one."""
        if self.line.kind == MergerLine.Kind.SPLIT:
            return tuple(
                (part.part.code, part.part.name, True)
                if part.school is None
                else (part.school.school_id, part.school.name, False)
                for part in self.parts
            )
        if self.line.kind == MergerLine.Kind.CLOSE:
            return ()
        return ((self.code_after, self.name_after, self.makes_school),)

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


class _Known:
    """All that is asked of the database for the lines of a batch."""

    def __init__(self, province: AdministrativeUnit, lines: Sequence[Line], on_date: date) -> None:
        codes = {code for line in lines for code in _codes_of(line)}
        self.province, self.on_date = province, on_date
        found = schools_by_code(codes)
        self.schools = {code: school for code, school in found.items() if school.province_id == province.pk}
        former = former_codes(code for code in codes if code not in found)
        self.taken = {*found, *former} - set(self.schools)
        """Codes that belong, or once belonged, to another school; of those elsewhere nothing more is said."""
        here = School.objects.filter(school_id__in=former.values(), province=province)
        mine = set(here.values_list("school_id", flat=True)) if former else set()
        self.former = {code: now for code, now in former.items() if now in mine}
        versions = SchoolVersion.objects.filter(school__in=self.schools.values(), valid_to__isnull=True)
        self.since = dict(versions.values_list("school_id", "valid_from"))
        self.accepted = accepted_for(school.pk for school in self.schools.values())
        places = {
            code
            for line in lines
            for code in (line.commune_code, *(part.commune_code for part in line.parts))
            if code
        }
        self.communes = communes_by_code(places, on_date)
        split = {line.predecessor_codes[0] for line in lines if line.parts and line.predecessor_codes}
        self.shareable = shareable(
            sorted(self.schools[code].pk for code in split if code in self.schools), on_date
        )
        self.lines_of_code: dict[str, list[int]] = {}
        for line in lines:
            for code in _codes_of(line):
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
    parts = tuple(
        PlannedPart(
            part=part, school=known.schools.get(part.code), commune=known.communes.get(part.commune_code)
        )
        for part in line.parts
    )
    for part in parts:
        if part.school is not None and part.school not in predecessors:
            _check_school(part.school.school_id, known, object_to)
    for code in sorted(_codes_of(line)):
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
            _("A line merges, splits, opens, closes, renames or gives a new code."),
        )
    else:
        check(line, predecessors, known, object_to)
    for place in dict.fromkeys((line.commune_code, *(part.commune_code for part in line.parts))):
        commune = known.communes.get(place)
        if place and (commune is None or commune.parent_id != known.province.pk):
            object_to(
                _("No commune of the province has code %(code)s.") % {"code": place},
                _("Choose a commune of the province, or leave it empty."),
            )
    shared = known.shareable.get(predecessors[0].pk) if predecessors else None
    return PlannedLine(
        line=line,
        predecessors=predecessors,
        successor=successor,
        commune=known.communes.get(line.commune_code),
        parts=parts,
        school_year=shared.school_year if shared is not None else "",
        problems=tuple(problems),
    )


def _codes_of(line: Line) -> set[str]:
    """Give every code that a line names."""
    return {*line.predecessor_codes, line.successor_code, *(part.code for part in line.parts)} - {""}


def _check_school(code: str, known: _Known, object_to) -> None:
    """Object to a school that is unknown, elsewhere, closed or changed later."""
    school = known.schools.get(code)
    if school is None:
        # The same words whether the code is unknown or that of a school elsewhere.
        now = known.former.get(code)
        object_to(
            _("No school of the province has code %(code)s.") % {"code": code},
            _("It has code %(now)s now; write that.") % {"now": now} if now else _("Check the code."),
        )
    elif school.pk in known.accepted:
        day, title = known.accepted[school.pk]
        object_to(
            _("School %(code)s stands in the batch “%(title)s”, which is accepted for %(day)s.")
            % {"code": code, "title": title, "day": day_text(day)},
            _("Take it out, or take the acceptance of that batch back first."),
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
        _check_new_school(line.successor_code, line.successor_name, known, object_to)


def _check_new_school(code: str, name: str, known: _Known, object_to) -> None:
    """Object to a new school whose code was another's, or that has no name."""
    if code in known.taken:
        object_to(
            _("Code %(code)s belongs to another school.") % {"code": code},
            _("Codes are never given again; ask for a new one."),
        )
    if not name:
        object_to(_("The new school has no name."), _("Write its name."))


def _check_split(line: Line, predecessors: Sequence[School], known: _Known, object_to) -> None:
    """Object to a split of several schools, into one, or whose shares do not add up."""
    if len(line.predecessor_codes) != 1:
        object_to(_("A line splits one school."), _("Write one line for each school."))
    if not line.parts:
        object_to(
            _("It is not said how the pupils are shared out."),
            _("Write the split down on the page of the batch, with the pupils of each school by grade."),
        )
    elif len(line.parts) < 2:
        object_to(_("A split needs two schools or more after it."), _("Name every school that goes on."))
    codes = [part.code for part in line.parts]
    if len(set(codes)) != len(codes):
        object_to(_("A school is named twice."), _("Name every school once."))
    for part in line.parts:
        if not part.code:
            object_to(_("A new school needs its code."), _("A code has 1 to 20 characters."))
        elif part.code not in known.schools:
            _check_new_school(part.code, part.name, known, object_to)
        elif part.name not in ("", known.schools[part.code].name):
            object_to(
                _("Code %(code)s belongs to another school.") % {"code": part.code},
                _("Leave the name empty if that school takes the pupils; else ask for a new code."),
            )
    shared = known.shareable.get(predecessors[0].pk) if predecessors else None
    problem = sharing_problem(shared, [part.shares for part in line.parts]) if shared is not None else None
    if problem is not None:
        object_to(*problem)


def _check_open(line: Line, predecessors: Sequence[School], known: _Known, object_to) -> None:
    """Object to an opening with a code that is taken, or without name, commune or levels."""
    if line.predecessor_codes:
        object_to(
            _("An opening has no school before it."), _("If schools go on in the new one, make it a merger.")
        )
    if not line.successor_code:
        object_to(_("A new school needs its code."), _("A code has 1 to 20 characters."))
    elif line.successor_code in known.schools:
        object_to(
            _("Code %(code)s belongs to another school.") % {"code": line.successor_code},
            _("Codes are never given again; ask for a new one."),
        )
    else:
        _check_new_school(line.successor_code, line.successor_name, known, object_to)
    if not line.commune_code:
        object_to(_("A new school needs its commune."), _("Choose the commune."))
    if not line.levels or set(line.levels.split("-")) - set(LEVELS):
        object_to(_("A new school needs its levels."), _("Choose at least one level."))


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
    elif line.successor_code in known.schools or line.successor_code in known.taken:
        object_to(
            _("Code %(code)s belongs to another school.") % {"code": line.successor_code},
            _("Codes are never given again; ask for a new one."),
        )


CHECKS = {
    MergerLine.Kind.MERGE: _check_merge,
    MergerLine.Kind.SPLIT: _check_split,
    MergerLine.Kind.OPEN: _check_open,
    MergerLine.Kind.CLOSE: _check_close,
    MergerLine.Kind.RENAME: _check_rename,
    MergerLine.Kind.RECODE: _check_recode,
}
