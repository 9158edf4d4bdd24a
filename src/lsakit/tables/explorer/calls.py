"""The call that gives an answer from the released file: in Python with lsakit, and in R with the package survey."""

from __future__ import annotations

from lsakit.tables.explorer.answers import Answer
from lsakit.tables.explorer.question import SLOPE_ON, Question
from lsakit.tables.explorer.variables import Variable

FILE, FILE_R = "students.parquet", "students.csv"


def python_call(answer: Answer, measure: Variable, *, fay_factor: float) -> str:
    """Write the Python call.

    Parameters
    ----------
    answer : Answer
        The answer.
    measure : Variable
        Its measure.
    fay_factor : float
        Fay's factor of the replicate weights.

    Returns
    -------
    str
        Lines that run where the analysis file lies.
    """
    question = answer.question
    lines = [
        "import lsakit as lk",
        "import polars as pl",
        "",
        f'table = pl.read_parquet("{FILE}")  # {question.population}',
        'design = lk.SurveyDesign(weight="weight", replicates="replicate_{r}", '
        f'n_replicates={answer.facts["n_replicates"]}, method="fay", fay_factor={fay_factor:g})',
        f"result = lk.{_function(question, measure, answer)}",
    ]
    if question.compare == "whole" and len(question.by) > 1:
        others = [name for name in question.by if name != question.compare_by]
        lines.append(f"whole = lk.{_function(question, measure, answer, by=others)}")
    elif question.compare == "whole":
        lines.append(f"whole = lk.{_function(question, measure, answer, by=[])}")
    if question.compare != "none":
        against = ", against=whole" if question.compare == "whole" else ""
        adjusted = ".adjusted()" if question.adjust else ""
        lines.append(f'differences = lk.compare(result, "{question.compare_by}"{against}){adjusted}')
    lines.append("print(result.table)")
    return "\n".join(lines)


def _function(question: Question, measure: Variable, answer: Answer, by: list[str] | None = None) -> str:
    """Write the call of the estimating function."""
    groups = list(question.by) if by is None else by
    tail = f', by={groups!r}, design=design, cluster="school_id")'.replace("'", '"')
    if not groups:
        tail = ', design=design, cluster="school_id")'
    values = f'table, "{measure.values}"'
    if question.statistic == "percentiles":
        shown = [
            f"{float(row['statistic'][1:]):g}" for row in answer.rows if row["statistic"].startswith("p")
        ]
        return f"estimate_percentiles({values}, [{', '.join(dict.fromkeys(shown))}]{tail}"
    if question.statistic in ("levels", "at_or_above"):
        return f"estimate_levels({values}, cuts={answer.facts['cuts']!r}{tail}"
    if question.statistic == "percent":
        return f"estimate_proportions({values}{tail}"
    if question.statistic == "slope":
        return f'estimate_gradient({values}, "{SLOPE_ON}"{tail}'
    return f"estimate_means({values}{tail}"


R_STATISTICS = ("mean", "levels", "percent", "slope")


def r_call(answer: Answer, measure: Variable, *, fay_factor: float) -> str:
    """Write the call in R with the package survey, each plausible value on its own and then combined.

    Parameters
    ----------
    answer : Answer
        The answer.
    measure : Variable
        Its measure.
    fay_factor : float
        Fay's factor of the replicate weights.

    Returns
    -------
    str
        Lines of R; empty for statistics that survey defines otherwise (standard deviations, percentiles,
        cumulative shares).
    """
    question = answer.question
    if question.statistic not in R_STATISTICS:
        return ""
    lines = [
        "library(survey)",
        f'd <- read.csv("{FILE_R}"{_text_columns(question, measure)})  # {question.population}',
        'w <- svrepdesign(data = d, weights = ~weight, repweights = "^replicate_[0-9]+$", '
        f'type = "Fay", rho = {fay_factor:g}, mse = TRUE, combined.weights = TRUE)',
    ]
    if measure.kind != "scale":
        value = f"~factor({measure.name})" if question.statistic == "percent" else f"~{measure.name}"
        return "\n".join([*lines, f"r <- {_r_by(question, value)}", "coef(r); SE(r)"])
    pattern = measure.values.replace("{m}", "%d")
    return "\n".join(
        [
            *lines,
            f"each <- lapply(1:{answer.facts['n_plausible_values']}, function(m) {{",
            f'  one <- update(w, value = {_r_value(question, answer)}(d[[sprintf("{pattern}", m)]]))',
            f"  {_r_by(question, '~value', 'one')}",
            "})",
            "values <- do.call(cbind, lapply(each, coef))",
            "squares <- do.call(cbind, lapply(each, function(x) unlist(SE(x))^2))",
            "estimate <- rowMeans(values); between <- apply(values, 1, var); within <- rowMeans(squares)",
            "error <- sqrt(within + (1 + 1 / length(each)) * between)",
            "data.frame(estimate, error)",
        ]
    )


def _text_columns(question: Question, measure: Variable) -> str:
    """Name the columns that R must read as text, so that codes keep their zeros."""
    names = dict.fromkeys([*question.by, *([measure.name] if measure.kind == "category" else [])])
    classes = ", ".join(f'{name} = "character"' for name in names)
    return f", colClasses = c({classes})" if names else ""


def _r_value(question: Question, answer: Answer) -> str:
    """Write what is done to each plausible value before it is averaged."""
    if question.statistic == "levels":
        cuts = ", ".join(f"{cut:g}" for cut in answer.facts["cuts"])
        return f"(function(x) cut(x, c(-Inf, {cuts}, Inf), right = FALSE))"
    return ""


def _r_by(question: Question, value: str, design: str = "w") -> str:
    """Write a mean or slope of the whole, or of groups."""
    if question.statistic == "slope":
        fit = f"svyglm(value ~ {SLOPE_ON}, {design})"
        if not question.by:
            return fit
        groups = " + ".join(question.by)
        return f"svyby(value ~ {SLOPE_ON}, ~{groups}, {design}, function(f, design, ...) svyglm(f, design))"
    missing = ", na.rm = TRUE"
    if not question.by:
        return f"svymean({value}, {design}{missing})"
    return f"svyby({value}, ~{' + '.join(question.by)}, {design}, svymean{missing})"
