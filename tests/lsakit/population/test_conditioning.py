"""What a population model conditions on: components, direct and reported variables, groups, clusters, refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from lsakit.errors import ConvergenceError, EstimationError
from lsakit.irt.calibration import Calibration
from lsakit.population.latent_regression import Population, PopulationOptions, fit_population
from lsakit.population.plausible_values import draw_plausible_values
from lsakit.population.population_groups import GroupedPopulation, fit_population_by_group
from lsakit.population.posterior import Posterior

N = 1200
RNG = np.random.default_rng(31)
DIFFICULTY = np.linspace(-1.5, 1.5, 12)
CAL = Calibration.from_items(
    {"item": [f"i{j}" for j in range(12)], "slope": [1.3] * 12, "difficulty": DIFFICULTY}
)
IDS = [f"s{i:04d}" for i in range(N)]
HOME = RNG.normal(size=N)
REGION = np.array(["delta", "highland", "north"])[RNG.choice(3, N, p=[0.5, 0.2, 0.3])]
GENDER = RNG.integers(0, 2, N).astype(float)
WEIGHT = RNG.lognormal(0.0, 0.4, N)
THETA = 0.5 * HOME - 0.5 * (REGION == "highland") + 0.2 * GENDER + RNG.normal(size=N) * 0.8
RIGHT = RNG.random((N, 12)) < 1 / (1 + np.exp(-1.3 * (THETA[:, None] - DIFFICULTY)))
ANSWERS = pl.DataFrame({"student_id": IDS} | {f"i{j}": RIGHT[:, j].astype(np.int8) for j in range(12)})
QUESTIONS = {f"q{k:02d}": HOME * (k < 12) + RNG.normal(size=N) for k in range(40)}
BACKGROUND = pl.DataFrame(
    {"student_id": IDS, "region": REGION.tolist(), "gender": GENDER, "weight": WEIGHT} | QUESTIONS
)


@pytest.fixture(scope="module")
def components() -> Population:
    options = PopulationOptions(pca_share=0.6, direct=("region", "gender"), reported=("region", "gender"))
    return fit_population(CAL, ANSWERS, background=BACKGROUND, weights="weight", options=options)


def weighted_correlations(names: list[str]) -> np.ndarray:
    """Correlations under the weights, by the textbook."""
    x = BACKGROUND.select(names).to_numpy()
    share = WEIGHT / WEIGHT.sum()
    x = x - share @ x
    x = x / np.sqrt(share @ x**2)
    return np.asarray((x * share[:, None]).T @ x)


def test_components_are_those_of_the_weighted_correlations(components: Population) -> None:
    values = np.sort(np.linalg.eigvalsh(weighted_correlations(list(QUESTIONS))))[::-1]
    found = components.conditioning
    assert found.n_columns == 43
    assert found.n_direct == 3
    assert found.components["variance"].to_numpy() == pytest.approx(values[: found.n_components], rel=1e-10)
    share = np.cumsum(values) / values.sum()
    assert found.n_components == int(np.argmax(share >= 0.6)) + 1
    assert found.share_reached == pytest.approx(share[found.n_components - 1], rel=1e-12)
    assert not found.is_capped
    terms = components.coefficients["term"].to_list()
    assert terms[:5] == ["intercept", "region=highland", "region=north", "gender", "component_1"]
    # the useful component is the first; direct effects are those of the simulation
    table = components.coefficients
    away = (table["estimate"][1:4].to_numpy() - [-0.5, 0.0, 0.2]) / table["standard_error"][1:4].to_numpy()
    assert np.abs(away).max() < 3.5


def test_components_that_hold_all_give_the_regression_on_the_columns() -> None:
    few = BACKGROUND.select("student_id", "region", "weight", *list(QUESTIONS)[:6])
    plain = fit_population(CAL, ANSWERS, background=few, weights="weight")
    options = PopulationOptions(pca_share=1.0)
    whole = fit_population(CAL, ANSWERS, background=few, weights="weight", options=options)
    assert whole.conditioning.n_components == 8
    # the same model in other coordinates; two iterations stop at 1e-6
    assert whole.loglik == pytest.approx(plain.loglik, abs=1e-6)
    assert whole.students["eap"].to_numpy() == pytest.approx(plain.students["eap"].to_numpy(), abs=1e-5)


def test_the_most_components_are_told() -> None:
    options = PopulationOptions(pca_share=0.99, most_components=4)
    found = fit_population(CAL, ANSWERS, background=BACKGROUND, options=options).conditioning
    assert (found.n_components, found.is_capped, found.share_wanted) == (4, True, 0.99)
    assert found.share_reached < 0.99
    small = ANSWERS.head(100), BACKGROUND.head(100)
    found = fit_population(
        CAL, small[0], background=small[1], options=PopulationOptions(pca_share=0.99)
    ).conditioning
    assert found.n_components == 5  # one per twenty students


def test_collinear_columns_do_not_stop_components() -> None:
    doubled = BACKGROUND.with_columns(twice=2 * pl.col("q00"), other=pl.col("q01") - pl.col("q02"))
    with pytest.raises(EstimationError, match=r"2 background columns are perfectly collinear"):
        fit_population(CAL, ANSWERS, background=doubled)
    found = fit_population(CAL, ANSWERS, background=doubled, options=PopulationOptions(pca_share=0.9))
    assert found.converged


def test_reported_contrasts_are_checked(components: Population) -> None:
    table = components.conditioning.reported
    assert table["contrast"].to_list() == ["region=highland", "region=north", "region=delta", "gender"]
    assert table["is_direct"].to_list() == [True] * 4
    assert table["r_squared"].to_numpy() == pytest.approx(1.0, abs=1e-9)
    options = PopulationOptions(pca_share=0.7, reported=("region",))
    with pytest.raises(EstimationError, match=r"3 group contrasts .* less than 0.8 .*region=highland \(0\."):
        fit_population(CAL, ANSWERS, background=BACKGROUND, options=options)
    loose = replace(options, least_explained=0.01)
    found = fit_population(CAL, ANSWERS, background=BACKGROUND, options=loose)
    told = found.conditioning.reported
    # the share explained, by a regression written out here
    scores = found.background.standard @ found.regressors.loadings
    for name, contrast in (("region=delta", REGION == "delta"), ("region=north", REGION == "north")):
        fitted = scores @ np.linalg.lstsq(scores, contrast.astype(float), rcond=None)[0]
        expected = fitted.var() / contrast.var()
        assert told.filter(pl.col("contrast") == name)["r_squared"].item() == pytest.approx(
            expected, rel=1e-9
        )
        assert not told["is_direct"].any()


def test_a_reported_variable_must_be_in_the_background() -> None:
    with pytest.raises(EstimationError, match=r"1 variables of the option 'reported' are not in .*province"):
        fit_population(CAL, ANSWERS, background=BACKGROUND, options=PopulationOptions(reported=("province",)))
    with pytest.raises(EstimationError, match=r"'direct' are not in the background table. See: grade"):
        fit_population(CAL, ANSWERS, background=BACKGROUND, options=PopulationOptions(direct=("grade",)))
    with pytest.raises(EstimationError, match=r"'pca_share' must be above 0 and at most 1. Got 90"):
        fit_population(CAL, ANSWERS, background=BACKGROUND, options=PopulationOptions(pca_share=90))


@pytest.fixture(scope="module")
def grouped() -> GroupedPopulation:
    few = BACKGROUND.select("student_id", "region", "gender", "weight", "q00")
    return fit_population_by_group(CAL, ANSWERS, few, "weight", group="region")


def test_each_group_has_a_model_of_its_own(grouped: GroupedPopulation) -> None:
    assert list(grouped.populations) == ["delta", "highland", "north"]
    own = BACKGROUND.filter(pl.col("region") == "north").select("student_id", "gender", "weight", "q00")
    alone = fit_population(
        CAL, ANSWERS.filter(pl.Series(REGION == "north")), background=own, weights="weight"
    )
    north = grouped.coefficients.filter(pl.col("region") == "north").drop("region")
    assert north.equals(alone.coefficients)
    assert grouped.residual_covariance["region"].to_list() == ["delta", "highland", "north"]
    assert grouped.residual_covariance["estimate"][2] == alone.residual_covariance[0, 0]
    assert grouped.students["student_id"].to_list() == IDS
    assert grouped.students["region"].to_list() == REGION.tolist()
    assert grouped.loglik == pytest.approx(sum(one.loglik for one in grouped.populations.values()))


def test_values_of_groups_come_in_the_order_of_the_background(grouped: GroupedPopulation) -> None:
    values = draw_plausible_values(grouped, n=3, seed=4)
    assert values["student_id"].to_list() == IDS
    north = draw_plausible_values(grouped.populations["north"], n=3, seed=4)
    assert values.filter(pl.Series(REGION == "north")).equals(north)
    # the models draw their parameters independently: deviations of two groups' means do not move together
    many = draw_plausible_values(grouped, n=400, seed=4).drop("student_id").to_numpy()
    means = np.array([many[name == REGION].mean(axis=0) for name in ("delta", "north")])
    assert abs(np.corrcoef(means)[0, 1]) < 4 / np.sqrt(400)


def test_a_group_of_one_student_is_refused_by_name() -> None:
    lonely = BACKGROUND.select("student_id", "gender").with_columns(
        country=pl.Series(["A"] * (N - 1) + ["B"])
    )
    with pytest.raises(EstimationError, match=r"In the group 'B' .* at least two students .* Got 1"):
        fit_population_by_group(CAL, ANSWERS, lonely, group="country")
    with pytest.raises(EstimationError, match=r"at least two students with responses. Got 1"):
        fit_population(CAL, ANSWERS.head(1), background=BACKGROUND.head(1).select("student_id", "gender"))


def test_other_bad_input_is_refused() -> None:
    few = BACKGROUND.select("student_id", "gender")
    with pytest.raises(EstimationError, match=r"must not be negative, nor all zero. 0 are negative"):
        fit_population(CAL, ANSWERS, background=few.with_columns(w=pl.lit(0.0)), weights="w")
    with pytest.raises(EstimationError, match=r"1 background columns are constant .* See: country"):
        fit_population(CAL, ANSWERS, background=few.with_columns(country=pl.lit("VN")))
    with pytest.raises(EstimationError, match="'stratum' needs the option 'cluster'"):
        fit_population(CAL, ANSWERS, background=few, options=PopulationOptions(stratum="gender"))
    with pytest.raises(EstimationError, match="'n_threads' of the population model cannot be 0"):
        PopulationOptions(n_threads=0)


def test_a_residual_variance_of_zero_is_told() -> None:
    # the column tells each ability exactly, and the answers happen to vary less than the model expects
    rng = np.random.default_rng(2)
    x = rng.normal(size=N)
    right = rng.random((N, 12)) < 1 / (1 + np.exp(-1.3 * (0.8 * x[:, None] - DIFFICULTY)))
    answers = {"student_id": IDS} | {f"i{j}": right[:, j].astype(int) for j in range(12)}
    with pytest.raises(
        ConvergenceError, match=r"residual variance is .* and falls.* fewer background columns"
    ):
        fit_population(CAL, answers, background={"student_id": IDS, "x": x})


def test_posteriors_too_narrow_or_too_far_are_refused(components: Population) -> None:
    answers, one = components.answers, np.ones((N, 1))
    with pytest.raises(EstimationError, match=r"posterior standard deviation is below"):
        Posterior(answers, 7).moments(one, np.zeros((1, 1)), np.full((1, 1), 1e-9))
    with pytest.raises(EstimationError, match=r"farther than 400 logits from zero"):
        Posterior(answers, 7).moments(one, np.full((1, 1), 1000.0), np.eye(1))
    with pytest.raises(EstimationError, match=r"not positive definite"):
        Posterior(answers, 7).moments(one, np.zeros((1, 1)), np.zeros((1, 1)))


def test_clusters_widen_the_errors_as_the_textbook_says() -> None:
    rng = np.random.default_rng(9)
    school = rng.integers(0, 40, N)
    few = BACKGROUND.select("student_id", "gender").with_columns(
        school=pl.Series([f"c{one:02d}" for one in school]), zone=pl.Series((school % 4).tolist())
    )
    shifted = RNG.random((N, 12)) < 1 / (
        1 + np.exp(-1.3 * (THETA[:, None] + rng.normal(size=40)[school][:, None] - DIFFICULTY))
    )
    answers = pl.DataFrame({"student_id": IDS} | {f"i{j}": shifted[:, j].astype(int) for j in range(12)})
    plain = fit_population(CAL, answers, background=few.drop("school", "zone"))
    found = fit_population(
        CAL, answers, background=few, options=PopulationOptions(cluster="school", stratum="zone")
    )
    assert found.coefficients["term"].to_list() == ["intercept", "gender"]
    assert found.coefficients["estimate"].equals(plain.coefficients["estimate"])
    # the sandwich written out: second differences of a log-likelihood on a grid, and sums of derivatives by school about
    # the mean of the zone
    x = np.column_stack([np.ones(N), GENDER])
    nodes = np.linspace(-9, 9, 301)
    codes = answers.drop("student_id").to_numpy()
    logits = 1.3 * (nodes[:, None] - DIFFICULTY)
    likelihood = np.exp(codes @ logits.T - np.log1p(np.exp(logits)).sum(axis=1))

    def logs(there: np.ndarray) -> np.ndarray:
        sd = np.exp(there[2])
        density = np.exp(-0.5 * ((nodes - (x @ there[:2])[:, None]) / sd) ** 2) / (sd * np.sqrt(2 * np.pi))
        return np.asarray(np.log((likelihood * density).sum(axis=1) * (nodes[1] - nodes[0])))

    solution = np.append(found.coefficients["estimate"].to_numpy(), 0.5 * np.log(found.residual_covariance))
    unit = np.eye(3) * 1e-3
    hessian = np.array(
        [
            [
                (
                    logs(solution + a + b)
                    - logs(solution + a - b)
                    - logs(solution - a + b)
                    + logs(solution - a - b)
                ).sum()
                / 4e-6
                for a in unit
            ]
            for b in unit
        ]
    )
    score = np.column_stack([(logs(solution + a) - logs(solution - a)) / 2e-3 for a in unit])
    sums = np.array([score[school == one].sum(axis=0) for one in range(40)])
    meat = np.zeros((3, 3))
    for zone in range(4):
        away = sums[np.arange(40) % 4 == zone]
        away = away - away.mean(axis=0)
        meat += 10 / 9 * away.T @ away
    bread = np.linalg.inv(-hessian)
    expected = np.sqrt(np.diag(bread @ meat @ bread))
    assert found.coefficients["standard_error"].to_numpy() == pytest.approx(expected[:2], rel=1e-4)
    error = expected[2] * 2 * found.residual_covariance[0, 0]
    assert found.residual_errors[0, 0] == pytest.approx(error, rel=1e-4)
    assert found.coefficients["standard_error"][0] > 2 * plain.coefficients["standard_error"][0]


def test_a_lone_cluster_adds_its_deviation_or_nothing() -> None:
    few = BACKGROUND.select("student_id", "gender").with_columns(
        school=pl.Series([f"c{one:02d}" for one in np.arange(N) % 30]),
        zone=pl.Series((np.arange(N) % 30 // 2 % 14).tolist()),
    )
    # 30 schools in 14 zones: the last pair shares its zone with the first, no zone has one school
    errors = {}
    for lone in ("adjust", "certainty"):
        options = PopulationOptions(cluster="school", stratum="zone", lone_cluster=lone)
        errors[lone] = fit_population(CAL, ANSWERS, background=few, options=options).coefficients
    assert errors["adjust"].equals(errors["certainty"])
    alone = few.with_columns(zone=pl.when(pl.col("school") == "c29").then(99).otherwise("zone"))
    for lone in ("adjust", "certainty"):
        options = PopulationOptions(cluster="school", stratum="zone", lone_cluster=lone)
        errors[lone] = fit_population(CAL, ANSWERS, background=alone, options=options).coefficients
    more, less = (errors[lone]["standard_error"].to_numpy() for lone in ("adjust", "certainty"))
    assert (more > less).all()


def test_threads_do_not_change_a_bit_and_32_bits_change_little(monkeypatch: pytest.MonkeyPatch) -> None:
    from lsakit.population import background, posterior

    monkeypatch.setattr(posterior, "BLOCK", 256)
    one = fit_population(CAL, ANSWERS, background=BACKGROUND, options=PopulationOptions(n_threads=1))
    two = fit_population(CAL, ANSWERS, background=BACKGROUND, options=PopulationOptions(n_threads=2))
    assert one.coefficients.equals(two.coefficients)
    assert one.loglik == two.loglik
    monkeypatch.setattr(background, "LARGE", 0)
    short = fit_population(CAL, ANSWERS, background=BACKGROUND)
    assert short.background.standard.dtype == np.float32
    # 32-bit covariates differ by 6e-8 of themselves
    assert short.coefficients["estimate"].to_numpy() == pytest.approx(
        one.coefficients["estimate"].to_numpy(), abs=2e-6
    )
    assert short.loglik == pytest.approx(one.loglik, abs=1e-4)
