"""The table of stage commands."""

from __future__ import annotations

from typing import Any

from lsakit.cli.stage_commands import InputFile, Setting, StageCommand
from lsakit.errors import DesignError

_NATION = (
    Setting(name="size", kind=str, default="small", help="Size of the synthetic nation: small or national."),
    Setting(name="nation_seed", kind=int, default=2026, help="Seed of the synthetic nation."),
)
_GRADE = Setting(name="grade", kind=int, default=..., help="Grade: 5 or 9.")


def nation_parameters(settings: dict[str, Any]) -> dict[str, Any]:
    """Spell out the size of a nation, so that a manifest holds numbers and not a word.

    Parameters
    ----------
    settings : dict of str to object
        ``size``, ``nation_seed`` and others.

    Returns
    -------
    dict of str to object
        Parameters of the step.
    """
    from lsakit.pipeline.options import CycleOptions

    options = CycleOptions(size=settings["size"], seed=settings["nation_seed"])
    scale = {"cuts": list(options.cuts), "scale_slope": 100.0, "scale_intercept": 500.0}
    rest = {name: value for name, value in settings.items() if name == "grade"}
    return {**options.nation(), **rest, **(scale if rest else {})}


def demonstration_parameters(settings: dict[str, Any]) -> dict[str, Any]:
    """Name the nation and grade of a demonstration step.

    Parameters
    ----------
    settings : dict of str to object
        ``size``, ``nation_seed``, ``grade``.

    Returns
    -------
    dict of str to object
        Parameters of the step.
    """
    found = nation_parameters(settings)
    return {name: found[name] for name in ("nation_seed", "size", "grade")}


def design_parameters(settings: dict[str, Any]) -> dict[str, Any]:
    """Lay out a design.

    Parameters
    ----------
    settings : dict of str to object
        Options of ``lsa sample``.

    Returns
    -------
    dict of str to object
        Parameters of the step.
    """
    names = ("explicit", "implicit", "measure_of_size", "n_schools", "n_students", "certainty")
    design = {name: settings[name] for name in names}
    return {"design": design, "in_each_stratum": settings["in_each_stratum"]}


def estimate_parameters(settings: dict[str, Any]) -> dict[str, Any]:
    """Read cut scores and percentiles.

    Parameters
    ----------
    settings : dict of str to object
        Options of ``lsa estimate``.

    Returns
    -------
    dict of str to object
        Parameters of the step.

    Raises
    ------
    DesignError
        If a cut score or percentile is not a number.
    """
    found = dict(settings)
    for name, kind in (("cuts", float), ("percentiles", int)):
        try:
            found[name] = [kind(word) for word in str(settings[name]).split(",")]
        except ValueError:
            raise DesignError(
                f"The option --{name} must be numbers separated by commas. Got {settings[name]!r}.",
                hint="For example: --cuts 357.77,420.07,482.38",
                param=name,
            ) from None
    return found


def report_parameters(settings: dict[str, Any]) -> dict[str, Any]:
    """Name the cycle in both languages.

    Parameters
    ----------
    settings : dict of str to object
        Options of ``lsa report``.

    Returns
    -------
    dict of str to object
        Parameters of the step.
    """
    found = dict(settings)
    return {"titles": {"vi": found.pop("title_vi"), "en": found.pop("title_en")}, "with_files": True, **found}


COMMANDS = (
    StageCommand(
        name="registers",
        step="nation",
        help="Write the registers of a synthetic nation: units, schools, booklets.",
        example="lsa registers --size small --out demo",
        settings=_NATION,
        prepare=nation_parameters,
    ),
    StageCommand(
        name="instrument",
        step="nation_grade",
        help="Write items, trend items and the known truth of one grade of the synthetic nation.",
        example="lsa instrument --grade 5 --size small --out demo/grade5",
        settings=(_GRADE, *_NATION),
        prepare=nation_parameters,
    ),
    StageCommand(
        name="frame",
        step="frame",
        help="Take the schools that have a grade from a register, and check the list before drawing from it.",
        example="lsa frame schools.csv --grade 5 --out grade5",
        inputs=(
            InputFile(role="schools", help="Register of schools with enrolment_<grade> and classes_<grade>."),
        ),
        settings=(
            _GRADE,
            Setting(
                name="n_schools_per_province", kind=int, default=53, help="Schools to draw per province."
            ),
            Setting(name="n_students", kind=int, default=30, help="Students to draw per school."),
        ),
    ),
    StageCommand(
        name="sample",
        step="draw_schools",
        help="Draw schools with probability proportional to size, with two replacements each.",
        example="lsa sample frame.csv --explicit province_code --implicit area --n-schools 53 --in-each-stratum",
        inputs=(InputFile(role="frame", help="One row per school: school_id, enrolment, strata."),),
        settings=(
            Setting(
                name="explicit",
                kind=list[str],
                default=[],
                help="Column of explicit strata; may be repeated.",
            ),
            Setting(name="implicit", kind=list[str], default=[], help="Column of the sort; may be repeated."),
            Setting(
                name="n_schools", kind=int, default=..., help="Schools to draw, in all or in each stratum."
            ),
            Setting(
                name="in_each_stratum", kind=bool, default=False, help="--n-schools holds for each stratum."
            ),
            Setting(name="n_students", kind=int, default=30, help="Students to draw per school."),
            Setting(name="measure_of_size", kind=str, default="enrolment", help="Column of the size."),
            Setting(name="certainty", kind=str, default="recompute", help="recompute or cap."),
        ),
        draws=True,
        prepare=design_parameters,
    ),
    StageCommand(
        name="lists",
        step="lists",
        help="Write the lists of students of the drawn schools of the synthetic nation.",
        example="lsa lists drawn.csv --grade 5 --size small",
        inputs=(InputFile(role="drawn", help="School sample."),),
        settings=(_GRADE, *_NATION),
        prepare=demonstration_parameters,
    ),
    StageCommand(
        name="students",
        step="select_students",
        help="Draw students in each listed school and deal the booklets.",
        example="lsa students lists.csv --drawn drawn.csv --n-students 30",
        inputs=(
            InputFile(role="lists", help="One row per student: school_id, student_id, gender, birth_date."),
            InputFile(role="drawn", help="School sample."),
        ),
        settings=(
            Setting(name="n_students", kind=int, default=30, help="Students to draw per school."),
            Setting(name="n_booklets", kind=int, default=13, help="Booklets."),
        ),
        draws=True,
    ),
    StageCommand(
        name="testday",
        step="administration",
        help="Let the drawn students of the synthetic nation sit the test.",
        example="lsa testday pupils.csv --drawn drawn.csv --lists lists.csv --grade 5 --size small",
        inputs=(
            InputFile(role="pupils", help="Drawn students with booklets."),
            InputFile(role="drawn", help="School sample."),
            InputFile(role="lists", help="Lists of students."),
        ),
        settings=(_GRADE, *_NATION),
        draws=True,
        prepare=demonstration_parameters,
    ),
    StageCommand(
        name="score",
        step="scoring",
        help="Turn raw answers into scores by a named rule.",
        example="lsa score raw_responses.csv --items items.csv",
        inputs=(
            InputFile(role="raw_responses", help="One row per student, one column per item."),
            InputFile(role="items", help="item, format, key, max_score."),
            InputFile(role="booklets", help="Order of the test, for the TIMSS rules.", required=False),
        ),
        settings=(
            Setting(
                name="rule",
                kind=str,
                default="pisa2015",
                help="pisa2015, pisa2012_calibration, pisa2012_scoring, wrong, timss_calibration, timss_scoring, questionnaire.",
            ),
        ),
    ),
    StageCommand(
        name="weights",
        step="weights",
        help="Weight the respondents and make replicate weights; also gives the response rates.",
        example="lsa weights drawn.csv --schools school_participation.csv --students student_participation.csv",
        inputs=(
            InputFile(role="drawn", help="School sample."),
            InputFile(role="schools", help="Participation of schools: school_id, participant_id, status."),
            InputFile(
                role="students", help="Participation of students: school_id, student_id, status, gender."
            ),
        ),
        settings=(
            Setting(
                name="rules", kind=str, default="national", help="Rules of codes and cells: pisa, national."
            ),
            Setting(name="n_replicates", kind=int, default=80, help="Replicate weights."),
            Setting(name="fay_factor", kind=float, default=0.5, help="Fay's factor."),
        ),
        draws=True,
    ),
    StageCommand(
        name="calibrate",
        step="calibration",
        help="Estimate item parameters; with trend items the scale stays that of the previous cycle.",
        example="lsa calibrate scored_responses.csv --items items.csv --trend-items trend_items.csv --weights weights.csv",
        inputs=(
            InputFile(role="scored_responses", help="Scores: one row per student, one column per item."),
            InputFile(role="items", help="item, subject."),
            InputFile(role="trend_items", help="Published parameters to hold.", required=False),
            InputFile(role="weights", help="Final weights.", required=False),
        ),
        settings=(
            Setting(
                name="model",
                kind=str,
                default="gpcm",
                help="rasch, 2pl, pcm, gpcm or rsm; 3pl, graded or nominal where no population model follows.",
            ),
        ),
    ),
    StageCommand(
        name="values",
        step="values",
        help="Fit the population model and draw plausible values.",
        example="lsa values item_parameters.csv --groups groups.csv --scored-responses scored_responses.csv "
        "--background background.csv --weights weights.csv",
        inputs=(
            InputFile(role="item_parameters", help="Items as `lsa calibrate` wrote them."),
            InputFile(role="groups", help="Groups as `lsa calibrate` wrote them."),
            InputFile(role="scored_responses", help="Scores."),
            InputFile(role="background", help="gender, ethnicity, ses, area, disadvantaged, province_code."),
            InputFile(role="weights", help="Final weights."),
        ),
        settings=(
            Setting(name="n_plausible_values", kind=int, default=10, help="Plausible values per student."),
            Setting(name="scale_slope", kind=float, default=100.0, help="Slope of the reporting scale."),
            Setting(
                name="scale_intercept", kind=float, default=500.0, help="Intercept of the reporting scale."
            ),
        ),
        draws=True,
    ),
    StageCommand(
        name="estimate",
        step="estimates",
        help="Estimate means, levels, percentiles and gaps with standard errors.",
        example="lsa estimate plausible_values.csv --weights weights.csv --replicates replicates.csv "
        "--background background.csv --population grade5",
        inputs=(
            InputFile(role="plausible_values", help="Plausible values."),
            InputFile(role="weights", help="Final weights."),
            InputFile(role="replicates", help="Replicate weights."),
            InputFile(role="background", help="Groups of the students."),
            InputFile(role="truth", help="Known truth of a synthetic nation.", required=False),
        ),
        settings=(
            Setting(name="population", kind=str, default=..., help="Name of the population, such as grade5."),
            Setting(
                name="cuts",
                kind=str,
                default="357.77,420.07,482.38,544.68,606.99",
                help="Lower bounds of levels.",
            ),
            Setting(name="percentiles", kind=str, default="5,25,50,75,95", help="Percentiles."),
            Setting(name="fay_factor", kind=float, default=0.5, help="Fay's factor."),
            Setting(
                name="minimum_students", kind=int, default=30, help="Fewest students of a published figure."
            ),
            Setting(
                name="minimum_schools", kind=int, default=5, help="Fewest schools of a published figure."
            ),
        ),
        prepare=estimate_parameters,
    ),
    StageCommand(
        name="report",
        step="report",
        help="Compose the national report and one per province, as data, PDF and Excel.",
        example="lsa report provinces.csv --estimates-5 estimates.csv --out report",
        inputs=(
            InputFile(role="provinces", help="Codes and names of provinces."),
            InputFile(role="estimates_5", help="Estimates of grade 5.", required=False),
            InputFile(role="estimates_9", help="Estimates of grade 9.", required=False),
        ),
        settings=(
            Setting(
                name="title_vi",
                kind=str,
                default="Đánh giá diện rộng cấp quốc gia",
                help="Cycle, in Vietnamese.",
            ),
            Setting(
                name="title_en",
                kind=str,
                default="National large-scale assessment",
                help="Cycle, in English.",
            ),
            Setting(name="n_plausible_values", kind=int, default=10, help="Plausible values per student."),
            Setting(name="n_replicates", kind=int, default=80, help="Replicate weights."),
            Setting(
                name="minimum_students", kind=int, default=30, help="Fewest students of a published figure."
            ),
            Setting(
                name="minimum_schools", kind=int, default=5, help="Fewest schools of a published figure."
            ),
        ),
        prepare=report_parameters,
    ),
)
