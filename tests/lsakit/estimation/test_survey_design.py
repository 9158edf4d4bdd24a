"""Survey designs: profiles, factors, and parts that contradict each other."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest

from lsakit.errors import DesignError
from lsakit.estimation.survey_design import SurveyDesign

PROFILES = sorted(
    entry.name.removesuffix(".toml")
    for entry in resources.files("lsakit.estimation").joinpath("designs").iterdir()
    if entry.name.endswith(".toml")
)


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_reads_and_names_its_source(name: str) -> None:
    design = SurveyDesign.read(name)
    assert design.name == name
    assert len(design.source) > 20


@pytest.mark.parametrize(
    ("name", "n_replicates", "factor", "sampling_variance"),
    [
        ("pisa", 80, 1 / 20, "all"),
        ("pisa_2012", 80, 1 / 20, "all"),
        ("talis", 100, 1 / 25, "all"),
        ("timss", 150, 1 / 2, "all"),
        ("timss", 250, 1 / 2, "all"),
        ("timss_old", 75, 1.0, "first_pv"),
        ("pirls", 250, 1 / 2, "all"),
        ("pirls_old", 75, 1.0, "first_pv"),
        ("iccs", 75, 1.0, "all"),
        ("icils", 75, 1.0, "all"),
        ("naep", 62, 1.0, "first_pv"),
        ("national", 80, 1 / 20, "all"),
        ("seaplm", 75, 1.0, "all"),
        ("piaac", 80, 1.0, "all"),
        ("piaac_jk1", 80, 79 / 80, "all"),
        ("piaac_brr", 80, 1 / 80, "all"),
        ("piaac_fay", 80, 1 / (80 * 0.49), "all"),
    ],
)
def test_factors_are_those_of_the_programmes(
    name: str, n_replicates: int, factor: float, sampling_variance: str
) -> None:
    design = SurveyDesign.read(name)
    assert design.variance_coefficients(n_replicates) == pytest.approx(np.full(n_replicates, factor))
    assert design.sampling_variance == sampling_variance
    assert design.n_replicates in (n_replicates, None)


@pytest.mark.parametrize(
    ("method", "more", "factor"),
    [
        ("brr", {}, 0.25),
        ("bootstrap", {}, 0.25),
        ("jk1", {}, 0.75),
        ("fay", {"fay_factor": 0.0}, 0.25),
        ("jk2", {}, 1.0),
    ],
)
def test_factor_of_each_method(method: str, more: dict, factor: float) -> None:
    design = SurveyDesign(weight="W", replicates="R{r}", n_replicates=4, method=method, **more)
    assert design.variance_coefficients(4).tolist() == [factor] * 4


def test_trap_2_the_final_weight_of_pisa_is_not_the_school_base_weight() -> None:
    assert SurveyDesign.read("pisa").weight == "W_FSTUWT"


def test_columns_of_stored_replicates() -> None:
    assert SurveyDesign.read("pisa").replicate_columns()[::79] == ("W_FSTURWT1", "W_FSTURWT80")
    assert SurveyDesign.read("naep").replicate_columns()[0] == "SRWT01"
    assert SurveyDesign.read("national").replicate_columns()[-1] == "replicate_80"
    assert SurveyDesign.read("timss").replicate_columns() == ()


def test_fields_can_be_changed_when_reading() -> None:
    design = SurveyDesign.read("pisa", weight="w_fstuwt", replicates="w_fsturwt{r}")
    assert (design.weight, design.fay_factor) == ("w_fstuwt", 0.5)
    with pytest.raises(DesignError, match="no field 'wieght'"):
        SurveyDesign.read("pisa", wieght="W")
    with pytest.raises(DesignError, match=r"one of iccs, icils, .*timss_old. Got 'pisaa'"):
        SurveyDesign.read("pisaa")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"method": "jackknife"}, "'method' of a survey design is one of fay, brr"),
        ({"sampling_variance": "mean"}, "'sampling_variance' of a survey design is one of all, first_pv"),
        ({"fay_factor": None}, "Fay's factor belongs to method 'fay'"),
        ({"fay_factor": 1.0}, "lies from 0 up to 1"),
        ({"method": "brr"}, "Fay's factor belongs to method 'fay'"),
        ({"n_replicates": None}, "needs n_replicates of at least 2. Got None"),
        ({"replicates": "R"}, "must hold the number"),
        ({"replicates": "R{k}"}, "must hold the number"),
        ({"zone": "Z"}, "names 'zone' and 'half' together"),
        ({"zone": "Z", "half": "H"}, "needs either 'replicates'"),
        (
            {"replicates": None, "zone": "Z", "half": "H"},
            "zone and half are jackknife replicates. Got method='fay'",
        ),
        ({"replicates": None}, "needs either 'replicates'"),
        ({"method": "jkn", "fay_factor": None}, "'jkn' needs one coefficient per replicate"),
        ({"coefficients": (1.0, -1.0)}, "finite and not negative"),
    ],
)
def test_contradictions_are_refused(changes: dict, sentence: str) -> None:
    fields = {"weight": "W", "replicates": "R{r}", "n_replicates": 80, "method": "fay", "fay_factor": 0.5}
    with pytest.raises(DesignError) as caught:
        SurveyDesign(**{**fields, **changes})
    assert sentence in str(caught.value)


def test_the_number_of_coefficients_must_be_that_of_the_replicates() -> None:
    design = SurveyDesign(
        weight="W", replicates="R{r}", n_replicates=3, method="jkn", coefficients=(0.5, 0.5)
    )
    with pytest.raises(DesignError, match="2 coefficients for 3 replicates"):
        design.variance_coefficients(3)
