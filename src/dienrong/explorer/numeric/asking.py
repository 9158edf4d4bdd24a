"""From the values of an address to a question and its answer, or to the sentence why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dienrong.explorer.numeric.files import Source, file_of, kept_answer
from lsakit.tables.explorer import Answer, Catalogue, Question, QuestionError, answer, catalogue, settle
from lsakit.tables.explorer.question import COMPARISONS, STATISTICS
from lsakit.tables.explorer.wording import Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What stands in the form, as text."""

    population: str = ""
    measure: str = ""
    statistic: str = ""
    by: tuple[str, ...] = ()
    compare: str = "none"
    compare_by: str = ""
    reference: str = ""
    adjust: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An answer, or the sentence and the field of a refusal."""

    answer: Answer | None = None
    kind: str = ""
    name: str = ""
    refusal: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One entry of a list."""

    value: str
    title: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The lists of the form, for what is chosen now."""

    populations: tuple[Choice, ...]
    measures: tuple[Choice, ...]
    statistics: tuple[Choice, ...]
    break_downs: tuple[tuple[Choice, ...], ...]
    compares: tuple[Choice, ...]
    compare_bys: tuple[Choice, ...]
    references: tuple[Choice, ...]


def _catalogue(source: Source, population: str, with_restricted: bool) -> Catalogue:
    """Say what a reader may ask of a run."""
    known = population if population in source.populations else source.populations[0]
    file = file_of(source, known)
    return catalogue(
        file.columns,
        populations=source.populations,
        few_schools=file.few_schools,
        with_restricted=with_restricted,
    )


def settled_form(source: Source, asked: Asked, *, with_restricted: bool, is_lenient: bool) -> Asked:
    """Fill what is empty with the first entry of its list; a lenient reader also mends what no longer fits."""
    population = asked.population or source.populations[0]
    offered = _catalogue(source, population, with_restricted)
    measure = asked.measure or next(iter(offered.measures))
    statistic = asked.statistic
    if measure in offered.measures:
        fitting = STATISTICS[offered.measures[measure].kind]
        if not statistic or (is_lenient and statistic not in fitting):
            statistic = fitting[0]
    by = tuple(name for name in asked.by if name)
    compare_by = asked.compare_by if asked.compare_by in by or not is_lenient else ""
    if not compare_by and by:
        compare_by = by[0]
    return Asked(
        population=population,
        measure=measure,
        statistic=statistic,
        by=by,
        compare=asked.compare or "none",
        compare_by=compare_by,
        reference=asked.reference,
        adjust=asked.adjust,
    )


def ask(source: Source, asked: Asked, *, with_restricted: bool, language: str) -> Outcome:
    """Answer what stands in the form.

    Parameters
    ----------
    source : Source
        The run.
    asked : Asked
        The form, settled.
    with_restricted : bool
        Whether the reader may ask for restricted variables.
    language : str
        Language of a refusal.

    Returns
    -------
    Outcome
        The answer with its name, or the refusal.
    """
    question = Question(
        population=asked.population,
        measure=asked.measure,
        statistic=asked.statistic,
        by=asked.by,
        compare=asked.compare,
        compare_by=asked.compare_by,
        reference=asked.reference,
        adjust=asked.adjust,
    )
    try:
        offered = _catalogue(source, asked.population, with_restricted)
        question = settle(question, offered)
        run = source.of(question.population).name
        name = question.name_in(run, source.rules)
        found = kept_answer(
            (name, with_restricted), lambda: answer(question, file_of(source, question.population), offered)
        )
    except QuestionError as refusal:
        return Outcome(refusal=refusal.sentence_in(language), field=refusal.param or "")
    return Outcome(answer=found, kind=offered.measures[question.measure].kind, name=name)


def offer(
    source: Source,
    asked: Asked,
    *,
    with_restricted: bool,
    is_lenient: bool,
    language: str,
    names: Mapping[str, str],
) -> tuple[Asked, Offer]:
    """Give the form as it is settled, and its lists.

    Parameters
    ----------
    source : Source
        The run.
    asked : Asked
        What the address says.
    with_restricted : bool
        Whether restricted variables are offered.
    is_lenient : bool
        Whether a statistic that no longer fits the measure is replaced by one that does.
    language : str
        Language of the lists.
    names : Mapping of str to str
        Names of provinces and regions.

    Returns
    -------
    asked : Asked
        The form.
    offer : Offer
        Its lists.

    Raises
    ------
    SourceDamagedError
        If the run's artefacts are not whole in the store.
    """
    chosen = settled_form(source, asked, with_restricted=with_restricted, is_lenient=is_lenient)
    offered = _catalogue(source, chosen.population, with_restricted)
    words = Words(language=language, names=names)
    population = chosen.population if chosen.population in source.populations else source.populations[0]
    references = _references(source, chosen, population, words)
    if is_lenient and references and not any(choice.is_chosen for choice in references):
        chosen = replace(chosen, reference=references[0].value)
        references = (replace(references[0], is_chosen=True), *references[1:])

    def named(values: Any, picked: str) -> tuple[Choice, ...]:
        return tuple(
            Choice(value=name, title=words.variable(name, population), is_chosen=name == picked)
            for name in values
        )

    kind = offered.measures[chosen.measure].kind if chosen.measure in offered.measures else "scale"
    say = words.texts.say
    statistics = tuple(
        Choice(value=name, title=_statistic(words, chosen, name, kind), is_chosen=name == chosen.statistic)
        for name in STATISTICS[kind]
    )
    by = [*chosen.by, "", "", ""][:3]
    return chosen, Offer(
        populations=tuple(
            Choice(value=name, title=say(f"population.{name}"), is_chosen=name == chosen.population)
            for name in source.populations
        ),
        measures=named(offered.measures, chosen.measure),
        statistics=statistics,
        break_downs=tuple(named(offered.break_downs, picked) for picked in by),
        compares=tuple(
            Choice(value=name, title=say(f"explorer.compare.{name}"), is_chosen=name == chosen.compare)
            for name in COMPARISONS
        ),
        compare_bys=named([name for name in chosen.by if name in offered.break_downs], chosen.compare_by),
        references=references,
    )


def _statistic(words: Words, chosen: Asked, name: str, kind: str) -> str:
    """Name a statistic in the list."""
    question = Question(population=chosen.population, measure=chosen.measure, statistic=name)
    return words.statistic(question, kind)


def _references(source: Source, chosen: Asked, population: str, words: Words) -> tuple[Choice, ...]:
    """List the groups with which others can be compared."""
    if chosen.compare != "reference" or not chosen.compare_by:
        return ()
    file = file_of(source, population)
    if chosen.compare_by not in file.columns:
        return ()
    values = file.ready.table.get_column(chosen.compare_by).cast(str).drop_nulls().unique().sort().to_list()
    return tuple(
        Choice(value=value, title=words.value(chosen.compare_by, value), is_chosen=value == chosen.reference)
        for value in values
    )


__all__ = ["Asked", "Choice", "Offer", "Outcome", "ask", "offer", "settled_form"]
