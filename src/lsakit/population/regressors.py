"""The regressors of a population model: columns as they are or principal components, and what they tell of subgroups.

The algorithm stands in docs/algorithms/latent_regression.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from lsakit.errors import EstimationError
from lsakit.io.frames import Table, make_table
from lsakit.population.background import INTERCEPT, Background, Floats, weighted_gram

LEAST_OWN_VARIANCE = 1e-9
SHARE_OF_STUDENTS = 0.05  # no more components than one per twenty students


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentRule:
    """How background columns become regressors.

    Parameters
    ----------
    share : float, optional
        Share of the columns' variance that principal components must hold, such as 0.9; without it the columns
        themselves are the regressors.
    most : int, optional
        Most components; by default one per twenty students.
    direct : tuple of str, optional
        Variables that stay regressors of their own, beside the components.
    reported : tuple of str, optional
        Variables by which results will be reported; each must be in the model.
    least_explained : float, default 0.8
        Least share of a reported group contrast's variance that the regressors must explain.
    """

    share: float | None = None
    most: int | None = None
    direct: tuple[str, ...] = ()
    reported: tuple[str, ...] = ()
    least_explained: float = 0.8

    def __post_init__(self) -> None:
        """Refuse shares that are none."""
        for name, value in (("pca_share", self.share), ("least_explained", self.least_explained)):
            if value is not None and not 0.0 < value <= 1.0:
                raise EstimationError(
                    f"The option {name!r} must be above 0 and at most 1. Got {value!r}.",
                    hint="PISA keeps 0.8 of the variance, TIMSS and NAEP 0.9.",
                    param=name,
                    got=value,
                )
        if self.most is not None and self.most < 1:
            raise EstimationError(
                f"The option 'most_components' must be at least 1. Got {self.most!r}.",
                param="most_components",
                got=self.most,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditioning:
    """What the regression conditions on, and how much of the background it holds.

    Parameters
    ----------
    n_columns : int
        Coded columns beside the intercept.
    n_direct : int
        Columns that are regressors themselves.
    n_components : int
        Principal components among the regressors; 0 without them.
    share_wanted : float or None
        Share of the variance that was asked for.
    share_reached : float
        Share of the variance of the other columns that the components hold; 1 without components.
    is_capped : bool
        Whether the most allowed components hold less than the share asked for.
    components : polars.DataFrame
        component, variance (of the standardised columns), share, cumulative_share.
    reported : polars.DataFrame
        variable, contrast, is_direct, r_squared: the share of each reported group contrast's variance that the
        regressors explain.
    """

    n_columns: int
    n_direct: int
    n_components: int
    share_wanted: float | None
    share_reached: float
    is_capped: bool
    components: Table
    reported: Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Regressors:
    """Regressors as combinations of the standardised columns.

    Parameters
    ----------
    terms : tuple of str
        Names of the regressors, the intercept first.
    mixing : ndarray of shape (n_columns, n_terms)
        Standardised columns times this are regressors that are uncorrelated with mean square one under the weights.
    to_terms : ndarray of shape (n_terms, n_terms)
        Turns coefficients of the uncorrelated regressors into those of the terms.
    loadings : ndarray of shape (n_columns, n_terms)
        Standardised columns times this are the terms, direct ones standardised.
    """

    terms: tuple[str, ...]
    mixing: Floats
    to_terms: Floats
    loadings: Floats


def make_regressors(
    background: Background, weight: Floats, rule: ComponentRule
) -> tuple[Regressors, Conditioning]:
    """Choose the regressors and make them uncorrelated, refusing perfect collinearity.

    Parameters
    ----------
    background : Background
        Coded columns of all students.
    weight : ndarray of shape (n_students,)
        Weights, dimensionless; 0 for students who are not fitted.
    rule : ComponentRule
        Components, direct variables and reported variables.

    Returns
    -------
    Regressors
        The regressors.
    Conditioning
        What they hold.

    Raises
    ------
    EstimationError
        If columns are perfectly collinear, a direct or reported variable is not in the background, or a reported
        group contrast is not explained.
    """
    _refuse_strangers(background, rule)
    gram = weighted_gram(background.standard, weight) / weight.sum()
    direct = [0, *background.places_of(rule.direct)]
    if rule.share is None:
        direct = list(range(len(background.columns)))
    others = sorted(set(range(len(background.columns))) - set(direct))
    vectors, values, all_values = _components(gram[np.ix_(others, others)], int((weight > 0).sum()), rule)
    terms = [background.columns[place] for place in direct]
    terms += [f"component_{place + 1}" for place in range(len(values))]
    loadings = np.zeros((len(gram), len(terms)))
    loadings[direct, np.arange(len(direct))] = 1.0
    if others:
        loadings[np.ix_(others, range(len(direct), len(terms)))] = vectors / np.sqrt(values)
    root = _guarded_root(loadings.T @ gram @ loadings, terms)
    inverse = solve_triangular(root, np.eye(len(root)), lower=True).T
    spread, centre = np.ones(len(terms)), np.zeros(len(terms))
    spread[: len(direct)] = background.spread[direct]
    centre[: len(direct)] = background.centre[direct]
    to_terms = inverse / spread[:, None]
    to_terms[0] -= (centre[1:] / spread[1:]) @ inverse[1:]
    found = Regressors(terms=tuple(terms), mixing=loadings @ inverse, to_terms=to_terms, loadings=loadings)
    total = float(all_values.sum())
    reached = float(values.sum()) / total if others else 1.0
    return found, Conditioning(
        n_columns=len(gram) - 1,
        n_direct=len(direct) - 1,
        n_components=len(values),
        share_wanted=rule.share,
        share_reached=reached,
        is_capped=rule.share is not None and bool(others) and reached < rule.share - 1e-12,
        components=_component_table(values, total),
        reported=_reported_table(background, gram, found, rule),
    )


def _refuse_strangers(background: Background, rule: ComponentRule) -> None:
    """Refuse direct and reported variables that the background does not have."""
    for param, names in (("direct", rule.direct), ("reported", rule.reported)):
        absent = [name for name in names if name not in background.variables]
        if absent:
            raise EstimationError(
                f"{len(absent)} variables of the option {param!r} are not in the background table.",
                where=absent,
                why="A subgroup that is not in the conditioning gets biased results: its students are drawn "
                "towards the others."
                if param == "reported"
                else "",
                hint="Add their columns to the background table, or take them off the list.",
                param=param,
            )


def _components(gram: Floats, n_students: int, rule: ComponentRule) -> tuple[Floats, Floats, Floats]:
    """Principal components of correlations: vectors and variances kept, and all variances."""
    if len(gram) == 0:
        return np.zeros((0, 0)), np.zeros(0), np.zeros(0)
    assert rule.share is not None
    values, vectors = np.linalg.eigh(gram)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    most = rule.most if rule.most is not None else max(int(SHARE_OF_STUDENTS * n_students), 1)
    rank = int((values > LEAST_OWN_VARIANCE * values[0]).sum())
    share = np.cumsum(values) / values.sum()
    wanted = int(np.searchsorted(share, rule.share - 1e-12)) + 1
    kept = min(wanted, most, rank)
    vectors = vectors[:, :kept]
    # a sign that does not depend on the machine: the largest loading of each component is positive
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(kept)]
    return vectors * np.where(largest < 0.0, -1.0, 1.0), values[:kept], values


def _component_table(values: Floats, total: float) -> Table:
    """Write the variances of the components."""
    share = values / total if len(values) else values
    return make_table(
        {
            "component": [f"component_{place + 1}" for place in range(len(values))],
            "variance": values,
            "share": share,
            "cumulative_share": np.cumsum(share),
        }
    )


def _reported_table(background: Background, gram: Floats, found: Regressors, rule: ComponentRule) -> Table:
    """Say what share of each reported group contrast the regressors explain; refuse where it is too little."""
    rows: list[tuple[str, str, bool, float]] = []
    for variable in rule.reported:
        places = background.places_of([variable])
        is_direct = all(background.columns[place] in found.terms for place in places)
        contrasts = {background.columns[place]: _unit(place, len(gram)) for place in places}
        if variable in background.first_levels:
            first = np.zeros(len(gram))
            first[places] = -background.spread[places]
            contrasts[f"{variable}={background.first_levels.get(variable, '')}"] = first
        for name, vector in contrasts.items():
            across = vector @ gram @ found.mixing[:, 1:]
            own = float(vector @ gram @ vector)
            # a first level that nobody has varies with nothing
            explained = float(across @ across) / own if own > LEAST_OWN_VARIANCE else 1.0
            rows.append((variable, name, is_direct, min(explained, 1.0)))
    poor = [f"{name} ({explained:.2f})" for _, name, _, explained in rows if explained < rule.least_explained]
    if poor:
        raise EstimationError(
            f"{len(poor)} group contrasts that will be reported are explained by the regressors to less than "
            f"{rule.least_explained:g} of their variance.",
            where=poor,
            why="Differences between groups that are not in the conditioning come out too small.",
            hint="Name the variables in the option 'direct', or keep more components (pca_share, most_components).",
            param="reported",
        )
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    return make_table(
        {
            "variable": [str(one) for one in columns[0]],
            "contrast": [str(one) for one in columns[1]],
            "is_direct": np.array(columns[2], dtype=bool),
            "r_squared": np.array(columns[3], dtype=float),
        }
    )


def _unit(place: int, size: int) -> Floats:
    """Vector that takes one column."""
    out = np.zeros(size)
    out[place] = 1.0
    return out


def _guarded_root(gram: Floats, terms: Sequence[str]) -> Floats:
    """Cholesky factor of the columns' correlations; a column without variance of its own is refused."""
    try:
        root = np.linalg.cholesky(gram)
    except np.linalg.LinAlgError:
        return _named_root(gram, terms)
    if (np.diag(root) ** 2 < LEAST_OWN_VARIANCE).any():
        return _named_root(gram, terms)
    return np.asarray(root)


def _named_root(gram: Floats, terms: Sequence[str]) -> Floats:
    """Cholesky factor column by column, which can name what a collinear column is made of."""
    size = len(gram)
    root = np.zeros((size, size))
    kept: list[int] = []
    sentences: list[str] = []
    for j in range(size):
        across = (
            solve_triangular(root[np.ix_(kept, kept)], gram[kept, j], lower=True) if kept else np.zeros(0)
        )
        own = gram[j, j] - across @ across
        if own < LEAST_OWN_VARIANCE:
            parts = solve_triangular(root[np.ix_(kept, kept)].T, across, lower=False)
            others = [terms[kept[k]] for k in np.flatnonzero(np.abs(parts) > 1e-6).tolist()]
            sentences.append(f"{terms[j]} is a combination of {', '.join(others) or INTERCEPT}")
            continue
        root[j, kept] = across
        root[j, j] = np.sqrt(own)
        kept.append(j)
    if sentences:
        raise EstimationError(
            f"{len(sentences)} background columns are perfectly collinear with others.",
            where=sentences,
            why="Their coefficients are not identified.",
            hint="Leave one column of each combination out.",
            param="background",
        )
    return root
