"""The walk from a published figure back to the frame row and the answers it rests on."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl

from lsakit.errors import LineageError
from lsakit.lineage import Manifest, Store
from lsakit.pipeline.figure_ids import EARLIER, EXAMPLE, FigureCode, parse_figure_id
from lsakit.pipeline.trace_sources import StoreSource, TraceSource

LANGUAGES = ("en", "vi")


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceStep:
    """One step of the walk.

    Parameters
    ----------
    stage : str
        Stage of the cycle.
    title : str
        What is looked at, in a few words.
    sentence : str
        What is seen, with the numbers.
    manifest_id : str
        Run that wrote it.
    inputs : Mapping of str to str
        Hash of each input of the run.
    outputs : Mapping of str to str
        Hash of the artefacts shown.
    rows : polars.DataFrame
        The rows themselves.
    explanation : str
        How the number came about in further words; empty where the sentence says it all.
    """

    stage: str
    title: str
    sentence: str
    manifest_id: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    rows: pl.DataFrame
    explanation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A whole walk.

    Parameters
    ----------
    figure_id : str
        Code of the figure.
    student_id : str
        Student whom the walk follows (a study number, never a name).
    school_id : str
        School that took part.
    steps : tuple of TraceStep
        From the figure to the register.
    """

    figure_id: str
    student_id: str
    school_id: str
    steps: tuple[TraceStep, ...]


@cache
def _texts(language: str) -> dict[str, dict[str, str]]:
    """Read the sentences of one language."""
    if language not in LANGUAGES:
        raise LineageError(
            f"The 'language' parameter must be one of {', '.join(LANGUAGES)}. Got {language!r}.",
            param="language",
            got=language,
        )
    text = files("lsakit.pipeline").joinpath("texts", f"{language}.toml").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = tomllib.loads(text)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What every step of one walk shares.

    Parameters
    ----------
    source : TraceSource
        Where manifests and tables are found.
    code : FigureCode
        The figure.
    language : str
        ``"en"`` or ``"vi"``.
    prefix : str, default ""
        ``"earlier_"`` where the walk follows the previous cycle: its inputs bear this before their role.
    """

    source: TraceSource
    code: FigureCode
    language: str
    prefix: str = ""

    def number(self, value: object, digits: int = 4) -> str:
        """Write a number with the language's decimal mark.

        Parameters
        ----------
        value : object
            Number, or None.
        digits : int, default 4
            Significant decimals.

        Returns
        -------
        str
            The number; a dash for None.
        """
        if value is None:
            return "–"
        if isinstance(value, int):
            text = f"{value:,}"
        else:
            text = f"{float(value):,.{digits}f}"  # type: ignore[arg-type]
            text = text.rstrip("0").rstrip(".") if "." in text else text
        return text.translate(str.maketrans(",.", ".,")) if self.language == "vi" else text

    def step(
        self, stage: str, manifest: Manifest, roles: tuple[str, ...], rows: pl.DataFrame, **words: Any
    ) -> TraceStep:
        """Write one step.

        Parameters
        ----------
        stage : str
            Stage, and key of its texts.
        manifest : Manifest
            Run that wrote what is shown.
        roles : tuple of str
            Outputs shown.
        rows : polars.DataFrame
            The rows.
        **words : object
            Words of the sentence; ``key`` for another text than the stage's, ``explanation``.

        Returns
        -------
        TraceStep
            The step.
        """
        texts, key = _texts(self.language), words.pop("key", stage)
        title = words.pop("title", stage)
        explanation = words.pop("explanation", "")
        return TraceStep(
            stage=stage,
            title=texts["title"]["earlier"].format(title=texts["title"][title])
            if self.prefix
            else texts["title"][title],
            sentence=texts["sentence"][key].format(**words),
            manifest_id=manifest.id,
            inputs=dict(manifest.inputs),
            outputs={role: manifest.outputs[role].hash for role in roles},
            rows=rows,
            explanation=explanation,
        )


def trace_figure(
    store: Store,
    figure_id: str,
    *,
    student_id: str | None = None,
    school_id: str | None = None,
    language: str = "en",
) -> Trace:
    """Walk from a figure of the newest cycle back to the frame row and the answers it rests on.

    Parameters
    ----------
    store : Store
        The store of the cycle.
    figure_id : str
        Code of the figure, such as ``"grade5/maths/mean/province_code/01"``.
    student_id : str, optional
        Student to follow; the first of the group by default.
    school_id : str, optional
        School to follow; its first student is taken.
    language : {"en", "vi"}, default "en"
        Language of titles and sentences.

    Returns
    -------
    Trace
        Report, figure, students, plausible values, items, scores, answers, weight, sample row, frame row and
        register row, each with its manifest and hashes.

    Raises
    ------
    LineageError
        If there is no such figure, the student or school does not belong to it, or an artefact is missing or
        was changed.
    """
    return trace_from(
        StoreSource(store), figure_id, student_id=student_id, school_id=school_id, language=language
    )


def trace_from(
    source: TraceSource,
    figure_id: str,
    *,
    student_id: str | None = None,
    school_id: str | None = None,
    language: str = "en",
) -> Trace:
    """Walk back from a figure in any source.

    Parameters
    ----------
    source : TraceSource
        A store, or plain files with their manifests.
    figure_id : str
        Code of the figure.
    student_id : str, optional
        Student to follow.
    school_id : str, optional
        School to follow.
    language : {"en", "vi"}, default "en"
        Language of titles and sentences.

    Returns
    -------
    Trace
        The walk, as far as the source reaches.
    """
    from lsakit.pipeline import trace_cards as cards

    code = parse_figure_id(figure_id)
    walk = Walk(source=source, code=code, language=language)
    estimated = source.estimates(code.grade)
    steps = [*cards.report_cards(walk, figure_id), cards.figure_card(walk, estimated)]
    follow = (student_id, school_id)
    is_now, is_earlier = code.cycles
    student = None
    if is_now:
        student = _follow(walk, estimated, figure_id, follow, steps)
    if is_earlier:
        steps += cards.link_cards(walk, estimated)
        before = replace(walk, prefix=EARLIER)
        other = _follow(before, estimated, figure_id, (None, None) if is_now else follow, steps)
        student = student or other
    assert student is not None
    return Trace(
        figure_id=figure_id,
        student_id=student["student_id"],
        school_id=student["school_id"],
        steps=tuple(steps),
    )


def _follow(
    walk: Walk,
    estimated: Manifest,
    figure_id: str,
    wanted: tuple[str | None, str | None],
    steps: list[TraceStep],
) -> dict[str, Any]:
    """Walk one cycle back, adding its steps; give the student who was followed."""
    from lsakit.pipeline import trace_cards as cards

    members = cards.members(walk, estimated)
    student = cards.choose_student(members, figure_id, *wanted)
    steps += [
        cards.group_card(walk, estimated, members, student),
        *cards.measurement_cards(walk, estimated, student["student_id"]),
        *cards.sampling_cards(walk, estimated, student["student_id"]),
    ]
    return student


def figure_row(estimates: pl.DataFrame, figure_id: str) -> dict[str, Any]:
    """Find a figure in the table of estimates.

    Parameters
    ----------
    estimates : polars.DataFrame
        The tidy table.
    figure_id : str
        Code of the figure.

    Returns
    -------
    dict of str to object
        The row.

    Raises
    ------
    LineageError
        If there is none; the nearest codes are named.
    """
    found = estimates.filter(pl.col("figure_id") == figure_id)
    if found.height == 1:
        return found.row(0, named=True)
    start = figure_id.rpartition("/")[0] + "/"
    near = estimates.filter(pl.col("figure_id").str.starts_with(start)).get_column("figure_id").to_list()
    raise LineageError(
        f"No figure has the code {figure_id!r}.",
        where=near,
        hint=f"Take the code from a table of the report, such as {EXAMPLE}.",
        param="figure",
        got=figure_id,
    )
