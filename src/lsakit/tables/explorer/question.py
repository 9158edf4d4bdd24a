"""A question to the explorer, its check, and its name that never changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lsakit.errors import EstimationError
from lsakit.lineage.hashing import hash_parameters
from lsakit.tables.explorer.variables import Catalogue, Variable
from lsakit.tables.texts import Texts

STATISTICS = {
    "scale": ("mean", "sd", "percentiles", "levels", "at_or_above", "slope"),
    "category": ("percent",),
    "index": ("mean", "sd"),
}
COMPARISONS = ("none", "pairs", "reference", "whole")
MOST_BREAK_DOWNS = 3
MOST_CELLS = 600
MOST_PAIRED_GROUPS = 16
SLOPE_ON = "ses"


class QuestionError(EstimationError):
    """A combination that makes no sense, or that may not be asked.

    Parameters
    ----------
    key : str
        Key of the sentence, in ``texts/explorer.*.toml`` under ``explorer.refusal``.
    param : str
        The part of the question that is refused.
    **values : object
        What the sentence names; a value that is a mapping of languages is said in the language.
    """

    code = "lsakit.explorer.question"

    def __init__(self, key: str, param: str, **values: Any) -> None:
        self.key = key
        self.values = values
        super().__init__(self.sentence_in("en"), param=param)

    def sentence_in(self, language: str) -> str:
        """Say in ``"vi"`` or ``"en"`` what is wrong and what to do."""
        spoken = {name: value(language) if callable(value) else value for name, value in self.values.items()}
        return Texts(language).say(f"explorer.refusal.{self.key}", **spoken)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked.

    Parameters
    ----------
    population : str
        Population.
    measure : str
        Scale or variable.
    statistic : str
        One of `STATISTICS` of the measure's kind.
    by : tuple of str
        Up to three break-downs.
    compare : {"none", "pairs", "reference", "whole"}
        Every pair of groups, each with one, each with the whole, or nothing.
    compare_by : str
        Break-down whose groups are compared; empty for nothing.
    reference : str
        Group with which each is compared; empty otherwise.
    adjust : bool
        Whether the false discovery rate of all comparisons shown is held.
    """

    population: str
    measure: str
    statistic: str
    by: tuple[str, ...] = ()
    compare: str = "none"
    compare_by: str = ""
    reference: str = ""
    adjust: bool = True

    def plain(self) -> dict[str, Any]:
        """Give the question as plain values, in a fixed order."""
        return {**asdict(self), "by": list(self.by)}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Question:
        """Make a question from plain values."""
        return cls(**{**values, "by": tuple(values["by"])})

    def name_in(self, run: str, rules: str) -> str:
        """Name the question put to one run under one rule set: hexadecimal digits of a hash."""
        return hash_parameters({"question": self.plain(), "run": run, "rules": rules}).partition(":")[2]


def settle(question: Question, offered: Catalogue) -> Question:
    """Check a question and bring it into its only form: parts that say nothing are emptied.

    Parameters
    ----------
    question : Question
        What is asked.
    offered : Catalogue
        What may be asked.

    Returns
    -------
    Question
        The same question, as it is named.

    Raises
    ------
    QuestionError
        With a sentence in both languages.
    """
    if question.population not in offered.populations:
        raise QuestionError("unknown_population", "population", name=question.population)
    measure = offered.measures.get(question.measure)
    if measure is None:
        raise QuestionError("not_offered", "measure", name=question.measure)
    if question.statistic not in STATISTICS[measure.kind]:
        raise QuestionError(
            "statistic_does_not_fit",
            "statistic",
            statistic=_statistic_word(question.statistic),
            measure=_variable_word(measure.name, question.population),
        )
    _check_break_downs(question, measure, offered)
    return _settle_comparison(question)


def _check_break_downs(question: Question, measure: Variable, offered: Catalogue) -> None:
    """Refuse break-downs that are too many, unknown, or the same thing twice."""
    if len(question.by) > MOST_BREAK_DOWNS:
        raise QuestionError("too_many_break_downs", "by", most=MOST_BREAK_DOWNS)
    if len(set(question.by)) < len(question.by):
        raise QuestionError("break_down_twice", "by")
    for name in question.by:
        variable = offered.break_downs.get(name)
        if variable is None:
            raise QuestionError("not_offered", "by", name=name)
        if variable.inside and variable.inside in question.by:
            words = {
                "inner": _variable_word(name, question.population),
                "outer": _variable_word(variable.inside, question.population),
            }
            raise QuestionError("one_inside_the_other", "by", **words)
        if name == measure.name:
            raise QuestionError(
                "measure_by_itself", "by", measure=_variable_word(measure.name, question.population)
            )
        is_own = variable.derived_from in (measure.name, SLOPE_ON if question.statistic == "slope" else "-")
        if variable.derived_from and is_own:
            word = _variable_word(name, question.population)
            raise QuestionError("measure_by_its_own_part", "by", name=word)


def _settle_comparison(question: Question) -> Question:
    """Check what is compared; empty what the kind of comparison does not use."""
    parts = question.plain() | {"by": question.by}
    if question.compare not in COMPARISONS:
        raise QuestionError("unknown_comparison", "compare", name=question.compare)
    if question.compare == "none":
        return Question(**(parts | {"compare_by": "", "reference": "", "adjust": True}))
    if not question.by:
        raise QuestionError("nothing_to_compare", "compare")
    parts["compare_by"] = question.compare_by or question.by[0]
    if parts["compare_by"] not in question.by:
        raise QuestionError("compared_is_no_break_down", "compare_by")
    if question.compare == "reference" and not question.reference:
        raise QuestionError("no_reference", "reference")
    if question.compare != "reference":
        parts["reference"] = ""
    return Question(**parts)


def _statistic_word(name: str) -> Any:
    """Name a statistic in whichever language is spoken."""

    def say(language: str) -> str:
        texts, key = Texts(language), f"explorer.statistic.{name}"
        return texts.say(key) if texts.has(key) else name

    return say


def _variable_word(name: str, population: str) -> Any:
    """Name a variable in whichever language is spoken."""
    return lambda language: variable_name(name, population, Texts(language))


def variable_name(name: str, population: str, texts: Texts) -> str:
    """Name a variable or a scale.

    Parameters
    ----------
    name : str
        Variable or subject.
    population : str
        Population, which decides what a subject is called.
    texts : Texts
        Language.

    Returns
    -------
    str
        Its name; the column where it has none.
    """
    for key in (f"subject.{population}.{name}", f"explorer.variable.{name}", f"by.{name}"):
        if texts.has(key):
            return texts.say(key)
    return name
