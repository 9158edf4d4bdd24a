"""The survey form as data: versioned TOML, questions in both languages, and how an answer is read."""

from __future__ import annotations

import dataclasses
import tomllib
from functools import cache
from importlib.resources import files

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from dienrong.core.text import clean_text, search_key
from dienrong.core.typed_numbers import plain_number

CURRENT = "facilities-1"
KINDS = ("integer", "choice", "yes_no", "text", "groups")
SECTIONS = {
    "rooms": gettext_lazy("Rooms"),
    "machines": gettext_lazy("Machines"),
    "network": gettext_lazy("Network"),
    "power": gettext_lazy("Electricity"),
    "sound": gettext_lazy("Sound"),
    "staff": gettext_lazy("Staff of the room"),
}
YES, NO = "yes", "no"
MOST_LETTERS = 600


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question, in both languages.

    Parameters
    ----------
    code, section, kind : str
        Name, part of the form, way of answering.
    text, hint, short : (str, str)
        Vietnamese and English.
    low, high : int, optional
        Bounds of a number.
    choices : tuple of (code, Vietnamese, English)
        Answers to choose from.
    needs : str
        Question of a number; where its answer is 0 this one is not asked and counts as 0.
    is_optional : bool
        Whether the form is complete without it.
    aliases : tuple of str
        Further headings of its column in a file.
    """

    code: str
    section: str
    kind: str
    text: tuple[str, str]
    hint: tuple[str, str]
    short: tuple[str, str]
    low: int | None = None
    high: int | None = None
    choices: tuple[tuple[str, str, str], ...] = ()
    needs: str = ""
    is_optional: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The question in the reader's language."""
        return _of(self.text)

    @property
    def guide(self) -> str:
        """The hint in the reader's language."""
        return _of(self.hint)

    @property
    def label(self) -> str:
        """The short name in the reader's language."""
        return _of(self.short)

    @property
    def options(self) -> list[tuple[str, str]]:
        """The answers to choose from, in the reader's language."""
        if self.kind == "yes_no":
            return [(YES, _("Yes")), (NO, _("No"))]
        return [(code, _of((vi, en))) for code, vi, en in self.choices]

    def shown(self, value: str) -> str:
        """Write an answer as a person reads it."""
        return dict(self.options).get(value, value)


def _of(pair: tuple[str, str]) -> str:
    """Choose the text of the reader's language."""
    return pair[1] if (get_language() or "vi").startswith("en") else pair[0]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One version of the form."""

    version: str
    questions: tuple[Question, ...]

    def question(self, code: str) -> Question | None:
        """Give a question by its code."""
        return next((one for one in self.questions if one.code == code), None)

    def asked(self, answers: dict[str, str]) -> list[Question]:
        """List the questions that are asked, given the answers so far."""
        return [one for one in self.questions if not one.needs or answers.get(one.needs) != "0"]

    def missing(self, answers: dict[str, str], n_groups: int) -> list[Question]:
        """List the questions that still want an answer; a school without a machine says so by 0 rooms."""
        found = []
        for one in self.asked(answers):
            if one.kind == "groups":
                is_missing = n_groups == 0 and answers.get(one.code) != "0"
            else:
                is_missing = not one.is_optional and not answers.get(one.code)
            if is_missing:
                found.append(one)
        return found


@cache
def form_of(version: str) -> Form:
    """Read a version of the form."""
    path = files("dienrong.readiness").joinpath("forms_data", f"{version}.toml")
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    return Form(version=content["version"], questions=tuple(_question(row) for row in content["question"]))


def _question(row: dict) -> Question:  # type: ignore[type-arg]
    """Make a question of its table in the file."""
    if row["kind"] not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}. Got {row['kind']!r} for {row['code']!r}.")
    return Question(
        code=row["code"],
        section=row["section"],
        kind=row["kind"],
        text=(row["vi"], row["en"]),
        hint=(row["hint_vi"], row["hint_en"]),
        short=(row["short_vi"], row["short_en"]),
        low=row.get("low"),
        high=row.get("high"),
        choices=tuple((code, vi, en) for code, vi, en in row.get("choices", ())),
        needs=row.get("needs", ""),
        is_optional=row.get("optional", False),
        aliases=tuple(row.get("aliases", ())),
    )


class AnswerError(ValueError):
    """An answer that cannot be read, with the sentence that says the fix."""


def read_answer(question: Question, typed: str) -> str:
    """Give an answer as it is kept; the empty text where nothing was answered.

    Raises
    ------
    AnswerError
        If the question cannot be answered so.
    """
    text = clean_text(typed)
    if not text:
        return ""
    if question.kind == "integer":
        return _whole(question, text)
    if question.kind in ("choice", "yes_no"):
        return _chosen(question, text)
    if len(text) > MOST_LETTERS:
        raise AnswerError(_("Write at most %(n)s letters.") % {"n": MOST_LETTERS})
    return text


def _whole(question: Question, text: str) -> str:
    """Read a whole number within the bounds of its question."""
    try:
        value = float(plain_number(text))
    except ValueError:
        value = 0.5
    low, high = question.low or 0, question.high if question.high is not None else 10**9
    if value != int(value) or not low <= value <= high:
        raise AnswerError(_("Write a whole number from %(low)s to %(high)s.") % {"low": low, "high": high})
    return str(int(value))


def _chosen(question: Question, text: str) -> str:
    """Read one of the answers of a question, by its code or its words."""
    known = {search_key(code): code for code, _label in question.options}
    for code, vi, en in (*question.choices, (YES, "Có", "Yes"), (NO, "Không", "No")):
        if code in dict(question.options):
            known |= {search_key(vi): code, search_key(en): code}
    found = known.get(search_key(text))
    if found is None:
        words = ", ".join(label for _code, label in question.options)
        raise AnswerError(_("Choose one of: %(words)s.") % {"words": words})
    return found
