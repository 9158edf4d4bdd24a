"""The cells of one row: each is read into its one clean form, or refused with a sentence and a way out.

Nothing here asks the database. Cells may be absent or None: an optional one then leaves what is kept as it is.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from dienrong.core.row_changes import CellProblem
from dienrong.core.text import clean_text
from dienrong.rosters import codes
from dienrong.rosters.models import Sex, StaffPlace, StudentPlace

WORD = r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f'’.\-])*"
NAME = re.compile(rf"(?!.*['’.\-]{{2}}){WORD}(?: {WORD})*")
CLASS = re.compile(r"([0-9]{1,2}) ?([^\W\d_]?) ?([0-9./\-]*)")
CLASS_WORD = re.compile(r"^(?:lớp|lop) ", re.IGNORECASE)
STAFF_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z.\-_/]{2,29}")
YES, NO = frozenset({"1", "true", "yes", "có", "x"}), frozenset({"0", "false", "no", "không"})
OLDEST = 110
SEXES, STATUSES = frozenset(Sex.values), frozenset(StudentPlace.Status.values)
ROLES = frozenset(StaffPlace.Role.values)

STUDENT_COLUMNS = (
    "school_id",
    "student_code",
    "personal_id",
    "full_name",
    "birth_date",
    "sex",
    "ethnicity",
    "grade",
    "class_name",
    "status",
    "has_special_needs",
)
STAFF_COLUMNS = (
    "school_id",
    "staff_code",
    "personal_id",
    "full_name",
    "birth_date",
    "sex",
    "role",
    "position",
    "subjects",
    "grades",
)
REQUIRED = frozenset(
    {
        "school_id",
        "student_code",
        "staff_code",
        "full_name",
        "birth_date",
        "sex",
        "grade",
        "class_name",
        "role",
    }
)


class BadCellError(ValueError):
    """A cell cannot be taken."""

    def __init__(self, sentence: str, hint: str = "") -> None:
        self.sentence, self.hint = sentence, hint
        super().__init__(sentence)


def read(
    values: Mapping[str, Any], columns: tuple[str, ...], today: datetime.date
) -> tuple[dict[str, Any], list[CellProblem]]:
    """Read the cells of a row by the columns of its kind.

    Parameters
    ----------
    values : mapping of str to object
        Cells by column code; dates as ISO text, integers as int.
    columns : tuple of str
        ``STUDENT_COLUMNS`` or ``STAFF_COLUMNS``; other cells are not looked at.
    today : datetime.date
        No date of birth lies after it.

    Returns
    -------
    tuple of dict and list of CellProblem
        The clean cells that are there, as JSON values, and why others cannot be taken.
    """
    clean: dict[str, Any] = {}
    problems: list[CellProblem] = []
    for column in columns:
        value = values.get(column)
        if value is None or value == "":
            if column in REQUIRED:
                problems.append(problem(column, "", _("This cell is empty and must be filled.")))
            continue
        try:
            clean[column] = READERS[column](value)
        except BadCellError as bad:
            problems.append(problem(column, value, bad.sentence, bad.hint))
    if "birth_date" in clean:
        _check_birth(clean, today, problems)
    return clean, problems


def problem(column: str, value: Any, sentence: str, hint: str = "") -> CellProblem:
    """Say why a cell cannot be taken."""
    return CellProblem(column=column, value=str(value), sentence=sentence, hint=hint)


def read_school_id(value: Any) -> str:
    """Read the code of a school: opaque text."""
    return clean_text(str(value))


def read_student_code(value: Any) -> str:
    """Read the pupil's code of the sector database: ten digits."""
    code = clean_text(str(value)).replace(" ", "")
    if not re.fullmatch(r"[0-9]{10}", code):
        raise BadCellError(
            _("A pupil's code has exactly 10 digits."),
            _("If Excel dropped a 0 in front, set the column to Text and type the code again."),
        )
    return code


def read_staff_code(value: Any) -> str:
    """Read the code of a teacher or manager."""
    code = clean_text(str(value)).replace(" ", "")
    if not STAFF_CODE.fullmatch(code):
        raise BadCellError(
            _("A staff code has 3 to 30 letters and digits."), _("Copy it from the sector database.")
        )
    return code.upper()


def read_personal_id(value: Any) -> str:
    """Read a personal number: twelve digits that begin with a province and a century."""
    number = clean_text(str(value)).replace(" ", "")
    if not re.fullmatch(r"[0-9]{12}", number):
        raise BadCellError(
            _("A personal number has exactly 12 digits."),
            _("If Excel dropped a 0 in front, set the column to Text and type the number again."),
        )
    if codes.personal_id_says(number) is None:
        raise BadCellError(
            _("No personal number begins with these digits."),
            _("The first three are the province of birth registration, 001 to 096. Check the card."),
        )
    return number


def read_name(value: Any) -> str:
    """Read a full name, composed; names of one word and names with an apostrophe are names."""
    name = clean_text(str(value))
    if len(name) > 100:
        raise BadCellError(_("A name has at most 100 letters."))
    if not NAME.fullmatch(name):
        raise BadCellError(
            _("A name has letters, spaces, apostrophes and hyphens only."),
            _("If letters look wrong, the file may use an old font; save it as Unicode."),
        )
    return name


def read_birth_date(value: Any) -> str:
    """Read a date written as ISO text."""
    try:
        day = value if isinstance(value, datetime.date) else datetime.date.fromisoformat(str(value))
    except ValueError:
        raise BadCellError(_("This is no date."), _("Write day/month/year, such as 05/09/2015.")) from None
    return day.isoformat()


def read_sex(value: Any) -> str:
    """Read female or male."""
    if value not in SEXES:
        raise BadCellError(_("The sex is female or male."), _("Choose one of the two."))
    return str(value)


def read_ethnicity(value: Any) -> str:
    """Read the code of a people, 01 to 54; 55 is a foreigner."""
    code = clean_text(str(value)).zfill(2)
    if code not in codes.ETHNICITIES:
        raise BadCellError(
            _("The code of the people is 01 to 54, or 55 for foreigners."), _("Use the list of peoples.")
        )
    return code


def read_grade(value: Any) -> int:
    """Read a grade, 0 (kindergarten) to 12."""
    text = clean_text(str(value))
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,2}", text) or int(text) > 12:
        raise BadCellError(_("A grade is a whole number from 1 to 12; 0 is the kindergarten."))
    return int(text)


def read_class_name(value: Any) -> str:
    """Read the name of a class: one spelling for ``5 a``, ``5A`` and ``Lớp 5A``."""
    name = CLASS_WORD.sub("", clean_text(str(value)))
    short = CLASS.fullmatch(name)
    if short:
        name = "".join(short.groups()).upper()
    if not name or len(name) > 30:
        raise BadCellError(_("The name of a class has 1 to 30 letters."))
    return name


def read_status(value: Any) -> str:
    """Read whether the pupil still learns here."""
    if value not in STATUSES:
        raise BadCellError(_("The state is studying, moved or dropped out."), _("Choose one of the three."))
    return str(value)


def read_flag(value: Any) -> bool:
    """Read yes or no."""
    word = str(value).strip().lower()
    if word not in YES and word not in NO:
        raise BadCellError(_("Write yes or no."))
    return word in YES


def read_role(value: Any) -> str:
    """Read whether the person teaches or manages."""
    if value not in ROLES:
        raise BadCellError(_("The role is teacher or manager."), _("Choose one of the two."))
    return str(value)


def read_position(value: Any) -> str:
    """Read what the person is at the school."""
    return _at_most(clean_text(str(value)), 80)


def read_subjects(value: Any) -> str:
    """Read subjects, parted by one kind of mark."""
    parts = [clean_text(part) for part in re.split(r"[;,\n]", str(value))]
    return _at_most("; ".join(part for part in parts if part), 200)


def read_grades(value: Any) -> str:
    """Read the grades that a teacher teaches."""
    parts = re.findall(r"[0-9]+", str(value))
    if not parts or any(int(part) > 12 for part in parts):
        raise BadCellError(_("Write grades as numbers from 1 to 12, such as 4, 5."))
    return ", ".join(str(grade) for grade in sorted({int(part) for part in parts}))


def _at_most(text: str, n_letters: int) -> str:
    """Refuse a text that is too long."""
    if len(text) > n_letters:
        raise BadCellError(_("This text has more than %(n)d letters.") % {"n": n_letters})
    return text


def _check_birth(clean: dict[str, Any], today: datetime.date, problems: list[CellProblem]) -> None:
    """Check the date of birth by itself and against the personal number."""
    text = clean["birth_date"]
    year = int(text[:4])
    if not (today.year - OLDEST <= year and text < today.isoformat()):
        problems.append(
            problem(
                "birth_date", text, _("Nobody on a list was born on this day."), _("Check the year of birth.")
            )
        )
        return
    said = codes.personal_id_says(clean.get("personal_id", ""))
    if said is None:
        return
    sex, born = said
    if born != year:
        sentence = _("The personal number tells a birth in %(said)d, the date of birth %(year)d.")
        problems.append(
            problem(
                "personal_id",
                clean["personal_id"],
                sentence % {"said": born, "year": year},
                _("Compare both with the birth certificate and correct the one that is wrong."),
            )
        )
    if "sex" in clean and sex != clean["sex"]:
        sentence = _("The personal number is that of a %(said)s, the sex here is %(sex)s.")
        problems.append(
            problem(
                "personal_id",
                clean["personal_id"],
                sentence % {"said": Sex(sex).label.lower(), "sex": Sex(clean["sex"]).label.lower()},
                _("Compare both with the birth certificate and correct the one that is wrong."),
            )
        )


READERS: dict[str, Callable[[Any], Any]] = {
    "school_id": read_school_id,
    "student_code": read_student_code,
    "staff_code": read_staff_code,
    "personal_id": read_personal_id,
    "full_name": read_name,
    "birth_date": read_birth_date,
    "sex": read_sex,
    "ethnicity": read_ethnicity,
    "grade": read_grade,
    "class_name": read_class_name,
    "status": read_status,
    "has_special_needs": read_flag,
    "role": read_role,
    "position": read_position,
    "subjects": read_subjects,
    "grades": read_grades,
}
