"""Compile every kernel that a cycle uses, once, so that no one waits for it later.

``python -m lsakit.pipeline.warm_up`` runs a very small cycle in a folder that it takes away again; the compiled
code stays in the cache beside the kernels. A cycle, not single calls, so that exactly the variants are compiled
that a cycle asks for.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from lsakit.datasets.nation_size import NationSize
from lsakit.estimation.correlations import estimate_correlations
from lsakit.estimation.cross_tables import estimate_cross_table
from lsakit.estimation.equity import estimate_resilience
from lsakit.estimation.means import estimate_means
from lsakit.estimation.multilevel import estimate_multilevel
from lsakit.estimation.proportions import estimate_levels
from lsakit.estimation.quantile_regression import estimate_quantile_regression
from lsakit.estimation.regression import estimate_regression
from lsakit.estimation.replication import prepare
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.irt.ability import score
from lsakit.irt.calibration import Calibration, CalibrationOptions, calibrate
from lsakit.irt.dimensions import calibrate_dimensions
from lsakit.irt.item_fit import FitOptions, item_fit
from lsakit.irt.person_fit import person_fit
from lsakit.lineage import Store
from lsakit.pipeline.cycle import CycleResult, run_cycle
from lsakit.pipeline.options import CycleOptions
from lsakit.population.latent_regression import PopulationOptions, fit_population
from lsakit.population.plausible_values import draw_plausible_values

MODELS = ("3pl", "graded", "nominal", "rsm", "gpcm", "2pl", "rsm", "graded")
TINY = NationSize(n_provinces=2, n_schools_5=60, n_schools_9=60, n_pupils_5=6000, n_pupils_9=6000)


def warm_up() -> CycleResult:
    """Run the smallest cycle that reaches every kernel.

    Returns
    -------
    CycleResult
        What the cycle computed; its artefacts are gone.
    """
    options = CycleOptions(
        size=TINY,
        grades=(5,),
        n_schools_per_province=20,
        n_students=30,
        n_plausible_values=2,
        with_report_files=False,
    )
    warm_up_diagnostics()
    warm_up_models()
    warm_up_estimates()
    with tempfile.TemporaryDirectory() as folder:
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        return run_cycle(Store(Path(folder)), options, now=moment, who="warm-up", n_processes=1)


def warm_up_diagnostics() -> None:
    """Compile what item and person fit use; a cycle does not ask for them."""
    items = {"item": ["a", "b", "c"], "slope": [1.0] * 3, "difficulty": [-1.0, 0.0, 1.0]}
    cal = Calibration.from_items(items)
    answers = {"a": [1, 1, 0, 1], "b": [1, 0, 1, None], "c": [0, 0, 1, 0], "known": [0.1, -0.4, 0.3, 0.0]}
    for ability in ("posterior", "known"):
        item_fit(cal, answers, options=FitOptions(ability=ability, least_n=2))
    person_fit(cal, answers)


def warm_up_models() -> None:
    """Calibrate a few students by the models that a cycle does not use, and in two dimensions."""
    rng = np.random.default_rng(1)
    theta = rng.normal(size=400)
    codes = {}
    for place, model in enumerate(MODELS):
        cuts = (-0.7, 0.7) if model in ("graded", "nominal", "rsm", "gpcm") else (0.0,)
        level = theta + rng.logistic(size=400)
        codes[f"i{place}"] = np.sum([level > cut for cut in cuts], axis=0)
    models = dict(zip(codes, MODELS, strict=True))
    cal = calibrate(codes, model=models)
    score(cal, codes, method="wle")
    known = codes | {"student_id": np.arange(400)}
    few = PopulationOptions(tolerance=0.1)
    draw_plausible_values(fit_population(cal, known, options=few), n=2, seed=1)
    dimensions = {name: "a" if place % 2 else "b" for place, name in enumerate(codes)}
    options = CalibrationOptions(n_nodes=15, max_iterations=3, on_failure="return")
    calibrate_dimensions(codes, dimensions, model=models, options=options)


def warm_up_estimates() -> None:
    """Estimate from a few students what a cycle does not ask for, with and without plausible values."""
    rng = np.random.default_rng(2)
    n = 160
    table = {
        "school": np.repeat(np.arange(20), 8),
        "zone": np.repeat(np.arange(10), 16),
        "half": np.repeat(np.arange(20) % 2, 8),
        "weight": rng.uniform(1.0, 2.0, n),
        "status": rng.normal(size=n),
        "answer": rng.integers(0, 3, n),
        **{f"PV{m}": rng.normal(size=n) for m in (1, 2)},
    }
    design = SurveyDesign(weight="weight", zone="zone", half="half", method="jk2")
    ready = prepare(table, design)
    stored = {f"r{r}": table["weight"] for r in (1, 2)} | table
    prepare(stored, SurveyDesign(weight="weight", replicates="r{r}", n_replicates=2, method="brr"))
    estimate_correlations(ready, ["PV{m}", "status"])
    estimate_regression(ready, "PV{m} ~ status")
    estimate_regression(ready, "PV1 ~ status")
    for by in (None, "answer"):  # students of a group stand together in the first, apart in the second
        estimate_means(ready, "PV{m}", by=by)
        estimate_levels(ready, "PV{m}", cuts=[0.0], by=by)
        estimate_regression(ready, "PV{m} ~ status", by=by)
    estimate_regression(ready, "answer ~ status", family="ordered")
    estimate_quantile_regression(ready, "PV1 ~ status", [50])
    estimate_multilevel(ready, "PV{m} ~ status", cluster="school")
    estimate_cross_table(ready, "answer", "half")
    estimate_resilience(ready, "PV{m}", "status")


if __name__ == "__main__":
    warm_up()
