"""What would become of rows of people, and of marks, that come in files; nothing is changed here."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import Scope
from dienrong.capacity.models import Enrolment, Kind, Level, Person, Posting, Training
from dienrong.capacity.numbering import typed_code
from dienrong.capacity.queries import places
from dienrong.capacity.queries.people import birth_date_of, twin_digest
from dienrong.capacity.queries.training import TAKING_PART, training_by_code
from dienrong.core import clock
from dienrong.core.row_changes import CellProblem, RowChange
from dienrong.core.text import clean_text, search_key
from dienrong.registry.models import AdministrativeUnit, School
from dienrong.registry.queries import in_force
from dienrong.rosters.cells import NAME, STAFF_CODE

Rows = Sequence[tuple[int, Mapping[str, Any]]]
FACTS = ("full_name", "birth_date", "email", "phone")
PLACE_COLUMNS = ("province_code", "commune_code", "school_id")
YOUNGEST, OLDEST = 15, 100


@dataclasses.dataclass(slots=True)
class PersonRow:
    """A row of a file with what is kept of the person and of the post."""

    number: int
    values: dict[str, Any]
    problems: list[CellProblem] = dataclasses.field(default_factory=list)
    changes: dict[str, tuple[Any, Any]] = dataclasses.field(default_factory=dict)
    person: Person | None = None
    post: Posting | None = None
    unit: AdministrativeUnit | None = None
    school: School | None = None

    @property
    def key(self) -> str:
        """The natural key of the row."""
        return f"{self.values.get('staff_code', '')}·{self.values.get('kind', '')}"

    @property
    def level(self) -> str:
        """The level of the place that the row names."""
        if self.school is not None:
            return Level.SCHOOL
        return Level.NATION if self.unit is None else Level(self.unit.level)

    @property
    def is_moving(self) -> bool:
        """Whether the row names another place than the present post of this kind."""
        post = self.post
        here = (self.unit.pk if self.unit else None, self.school.pk if self.school else None)
        return post is None or (post.unit_id, post.school_id) != here

    def refuse(self, column: str, sentence: str, hint: str = "") -> None:
        """Note why a cell cannot be taken."""
        value = str(self.values.get(column, "") or "")
        self.problems.append(CellProblem(column=column, value=value, sentence=sentence, hint=hint))

    def as_change(self) -> RowChange:
        """Give the outcome of the comparison."""
        verdict = (
            "refused"
            if self.problems
            else "new"
            if self.person is None
            else "changed"
            if self.changes
            else "unchanged"
        )
        return RowChange(
            number=self.number,
            key=self.key,
            verdict=verdict,  # type: ignore[arg-type]
            values=self.values,
            changes={} if self.problems else self.changes,
            problems=tuple(self.problems),
        )


def compare_people(
    rows: Rows, *, scope: Scope, on_date: str, seen: dict[str, int] | None = None
) -> list[RowChange]:
    """Tell what would become of rows of people.

    Parameters
    ----------
    rows : sequence of (int, mapping)
        Number of the row and its cells by column code.
    scope : Scope
        The units whose people may be written.
    on_date : str
        Day (ISO) from which new posts hold.
    seen : dict, optional
        Key and number of the rows of earlier blocks of the same file.
    """
    return [row.as_change() for row in plan_people(rows, scope=scope, on_date=on_date, seen=seen)]


def plan_people(
    rows: Rows, *, scope: Scope, on_date: str, seen: dict[str, int] | None = None
) -> list[PersonRow]:
    """Compare rows and keep beside each what is in the database; eight queries at most, whatever their number."""
    day = datetime.date.fromisoformat(on_date)
    plans = [_read(number, values) for number, values in rows]
    _find_doubles(plans, {} if seen is None else seen)
    _find_places(plans, scope, day)
    _find_people(plans, scope, day)
    for row in plans:
        if not row.problems:
            _compare(row)
    return plans


def _read(number: int, values: Mapping[str, Any]) -> PersonRow:
    """Read the cells of a row."""
    kept = {name: clean_text(str(value)) for name, value in values.items() if value not in (None, "")}
    row = PersonRow(number, kept)
    kept["staff_code"] = kept.get("staff_code", "").replace(" ", "")
    if not STAFF_CODE.fullmatch(kept["staff_code"]):
        row.refuse(
            "staff_code",
            _("A staff code has 3 to 30 letters and digits."),
            _("Take the code of the sector database."),
        )
    name = kept.get("full_name", "")
    if not NAME.fullmatch(name) or " " not in name or len(name) > 120:
        row.refuse("full_name", _("This is no full name."), _("Write family name and given name in letters."))
    if kept.get("kind") not in Kind.values:
        row.refuse("kind", _("This is no kind of post."), _("Choose one of the list in the template."))
    _read_birth(row)
    if "email" in kept:
        try:
            validate_email(kept["email"])
        except ValidationError:
            row.refuse("email", _("This is no e-mail address."), _("Leave it empty if there is none."))
    if len(kept.get("phone", "")) > 30:
        row.refuse("phone", _("A telephone number has at most 30 characters."))
    if sum(column in kept for column in PLACE_COLUMNS) > 1:
        column = next(column for column in PLACE_COLUMNS if column in kept)
        row.refuse(
            column, _("A post lies at one place: province, commune or school."), _("Leave the others empty.")
        )
    return row


def _read_birth(row: PersonRow) -> None:
    """Read the day of birth, if there is one."""
    if "birth_date" not in row.values:
        return
    try:
        birth = datetime.date.fromisoformat(row.values["birth_date"])
    except ValueError:
        row.refuse("birth_date", _("This is no date."), _("Write day/month/year."))
        return
    if not YOUNGEST <= clock.today().year - birth.year <= OLDEST:
        row.refuse(
            "birth_date", _("This cannot be the day of birth of somebody at work."), _("Correct the year.")
        )


def _find_doubles(plans: list[PersonRow], seen: dict[str, int]) -> None:
    """Refuse a row that says again what an earlier row said."""
    for row in plans:
        before = seen.setdefault(row.key, row.number)
        if before != row.number:
            row.refuse(
                "staff_code",
                _("Row %(row)s has the same person and kind of post.") % {"row": before},
                _("Keep one of them."),
            )


def _find_places(plans: list[PersonRow], scope: Scope, day: datetime.date) -> None:
    """Find unit or school of each row, and refuse those outside the scope."""
    level = AdministrativeUnit.Level
    units: dict[tuple[str, str], AdministrativeUnit] = {}
    for column, which in (("province_code", level.PROVINCE), ("commune_code", level.COMMUNE)):
        codes = {row.values[column] for row in plans if column in row.values}
        found = AdministrativeUnit.objects.filter(in_force(day), level=which, code__in=codes)
        units |= {(column, unit.code): unit for unit in found.select_related("parent")}
    ids = {row.values["school_id"] for row in plans if "school_id" in row.values}
    schools = {
        one.school_id: one
        for one in School.objects.filter(school_id__in=ids).select_related("commune", "province")
    }
    for row in plans:
        column = next((name for name in PLACE_COLUMNS if name in row.values), "")
        if column == "school_id":
            row.school = schools.get(row.values[column])
            if row.school is None or not row.school.is_open:
                row.refuse(column, _("No open school has this code."), _("Look the code up under “Schools”."))
                continue
            place = (row.school.province.code, row.school.commune.code, row.school.school_id)
        elif column:
            row.unit = units.get((column, row.values[column]))
            if row.unit is None:
                row.refuse(column, _("No unit of today has this code."), _("Look the code up under “Units”."))
                continue
            above = row.unit.parent.code if row.unit.parent is not None else None
            place = (row.unit.code, None, None) if column == "province_code" else (above, row.unit.code, None)  # type: ignore[assignment]
        else:
            place = (None, None, None)  # type: ignore[assignment]
        if not scope.covers(*place):
            row.refuse(
                column or "school_id",
                _("This place is not in your charge."),
                _("Leave the row to the officer of that unit."),
            )
        elif row.values.get("kind") == Kind.TEACHER and row.school is None:
            row.refuse("school_id", _("A teacher's post lies at a school."), _("Fill the school code in."))
        elif row.values.get("kind") == Kind.TESTING_STAFF and row.school is not None:
            row.refuse(
                "school_id",
                _("Testing staff work at a department or office, not at a school."),
                _("Fill the province or commune code in instead."),
            )


def _find_people(plans: list[PersonRow], scope: Scope, day: datetime.date) -> None:
    """Find people and their present posts; refuse people who work elsewhere, and twins under another code."""
    codes = {row.values["staff_code"] for row in plans}
    known = {one.staff_code: one for one in Person.objects.filter(staff_code__in=codes)}
    posts = Posting.objects.filter(in_force(day), person__in=[one.pk for one in known.values()])
    by_key = {(post.person_id, post.kind): post for post in posts.order_by("valid_from", "pk")}
    mine: set[int] = set()
    if known and not scope.is_national:
        today = clock.today()
        inside = Posting.objects.filter(
            places.within(scope, today), person__in=[one.pk for one in known.values()]
        )
        mine = set(inside.values_list("person_id", flat=True))
    digests = {
        twin_digest(
            row.values.get("full_name", ""), datetime.date.fromisoformat(row.values["birth_date"])
        ): row
        for row in plans
        if not row.problems and "birth_date" in row.values and row.values["staff_code"] not in known
    }
    twins = set(
        Person.objects.filter(twin_digest__in=[digest for digest in digests if digest]).values_list(
            "twin_digest", flat=True
        )
    )
    for digest in twins:
        digests[digest].refuse(
            "staff_code",
            _("Somebody with this name and day of birth stands in the register under another staff code."),
            _("Correct the code; if it is another person, add the person on the page."),
        )
    for row in plans:
        row.person = known.get(row.values["staff_code"])
        if row.person is None:
            continue
        row.post = by_key.get((row.person.pk, row.values.get("kind", "")))
        if not scope.is_national and row.person.pk not in mine:
            row.refuse(
                "staff_code",
                _("This person works in a unit that is not in your charge."),
                _("Ask the officer of the level above both units to move the post."),
            )


def _compare(row: PersonRow) -> None:
    """Note every cell that differs from what is kept."""
    person = row.person
    if person is None:
        return
    birth = birth_date_of(person.sealed_birth_date)
    kept = {
        "full_name": person.full_name,
        "birth_date": birth.isoformat() if birth is not None else None,
        "email": person.email or None,
        "phone": person.phone or None,
    }
    for column, value in kept.items():
        said = row.values.get(column)
        if said is not None and said != value:
            row.changes[column] = (value, said)
    if row.is_moving:
        column = next((name for name in PLACE_COLUMNS if name in row.values), "kind")
        before = places.place_name(row.post) if row.post is not None else None
        row.changes[column] = (before, row.values.get(column, str(Level.NATION.label)))
    elif row.post is not None and row.values.get("title") and row.values["title"] != row.post.title:
        row.changes["title"] = (row.post.title, row.values["title"])


def compare_scores(
    rows: Rows, *, scope: Scope, training_code: str, seen: dict[str, int] | None = None
) -> list[RowChange]:
    """Tell what would become of rows of marks of a training; a row is refused where name and code do not fit.

    Parameters
    ----------
    rows : sequence of (int, mapping)
        Number of the row and its cells: ``learner_code``, ``full_name``, ``score``.
    scope : Scope
        The units for which the person organizes trainings.
    training_code : str
        Code of the training, asked once for the file.
    """
    training = training_by_code(training_code)
    seen = {} if seen is None else seen
    learners: dict[str, Enrolment] = {}
    if training is not None:
        found = Enrolment.objects.filter(training=training, state__in=TAKING_PART).select_related("person")
        learners = {one.learner_code: one for one in found}
    return [_score_change(number, values, training, learners, scope, seen) for number, values in rows]


def _score_change(
    number: int, values: Mapping[str, Any], training: Training | None, learners: Mapping[str, Enrolment], scope: Scope,
    seen: dict[str, int],
) -> RowChange:  # fmt: skip
    """Compare one row of marks."""
    code = typed_code(str(values.get("learner_code") or ""))
    name = clean_text(str(values.get("full_name") or ""))
    kept: dict[str, Any] = {"learner_code": code, "full_name": name}
    problems: list[CellProblem] = []

    def refuse(column: str, sentence: str, hint: str = "") -> None:
        problems.append(
            CellProblem(column=column, value=str(values.get(column) or ""), sentence=sentence, hint=hint)
        )

    learner = learners.get(code)
    if training is None:
        refuse(
            "learner_code",
            _("There is no training with the code that was given for this file."),
            _("Send the file again with the code of the training."),
        )
    elif not may_run_in(scope, training):
        refuse(
            "learner_code",
            _("This training is organized by somebody else."),
            _("Leave its marks to the organizer."),
        )
    elif training.state != Training.State.RUNNING or not training.course.has_test:
        refuse("score", _("Marks are taken while a training with a test runs."))
    elif learner is None:
        refuse(
            "learner_code",
            _("No confirmed learner of this training has this code."),
            _("Take the codes from the list of the training."),
        )
    elif name and search_key(name) != search_key(learner.person.full_name):
        refuse(
            "full_name",
            _("The code belongs to somebody with another name."),
            _("Check which of the two is wrong."),
        )
    before = seen.setdefault(code, number)
    if before != number:
        refuse(
            "learner_code", _("Row %(row)s has the same learner.") % {"row": before}, _("Keep one of them.")
        )
    score = _read_score(values.get("score"))
    if score is None:
        refuse("score", _("A mark is a number from 0 to 10."), _("Write 7,5; who did not come gets 0."))
    else:
        kept["score"] = str(score)
    if problems:
        return RowChange(number=number, key=code, verdict="refused", values=kept, problems=tuple(problems))
    old = learner.score if learner is not None else None
    if old == score:
        return RowChange(number=number, key=code, verdict="unchanged", values=kept)
    change = {"score": (str(old) if old is not None else None, str(score))}
    return RowChange(number=number, key=code, verdict="changed", values=kept, changes=change)


def _read_score(value: Any) -> Decimal | None:
    """Read a mark of ten with two decimals; None where it is none."""
    try:
        score = Decimal(str(value).strip().replace(",", ".")).quantize(Decimal("0.01"))
    except (InvalidOperation, ValueError):
        return None
    return score if 0 <= score <= 10 else None


def may_run_in(scope: Scope, training: Training) -> bool:
    """Tell whether a scope organizes a training."""
    return scope.is_national or (
        training.organizer is not None and training.organizer.code in scope.provinces
    )
