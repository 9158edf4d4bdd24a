"""The statistics of a national large-scale assessment: arrays and tables in, frozen results out.

``import lsakit as lk`` opens about forty names; each is loaded from its room when first used, so that a
command that needs one of them does not wait for the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    # design
    "Design": "lsakit.design.options",
    "check_frame": "lsakit.design.frame_checks",
    "allocate_schools": "lsakit.design.allocation",
    "draw_schools": "lsakit.design.pps",
    "select_students": "lsakit.design.within_school",
    "booklet_design": "lsakit.design.booklets",
    "coverage_indices": "lsakit.design.coverage",
    "plan_precision": "lsakit.design.precision",
    "select_classes": "lsakit.design.classes",
    "select_staff": "lsakit.design.staff",
    "select_for_studies": "lsakit.design.studies",
    "commit_draw": "lsakit.design.draw_record",
    "draw_record": "lsakit.design.draw_record",
    "verify_draw": "lsakit.design.draw_verification",
    # weighting
    "response_rates": "lsakit.weighting.response_rates",
    "final_weights": "lsakit.weighting.final_weights",
    "replicate_weights": "lsakit.weighting.replicates",
    "participation_codes": "lsakit.weighting.codes",
    "forecast_participation": "lsakit.weighting.forecast",
    "nonresponse_bias": "lsakit.weighting.nonresponse_bias",
    "calibrate_weights": "lsakit.weighting.calibrate_weights",
    "house_weights": "lsakit.weighting.scaled_weights",
    "senate_weights": "lsakit.weighting.scaled_weights",
    "teacher_weights": "lsakit.weighting.teacher_weights",
    "linked_teacher_weights": "lsakit.weighting.teacher_weights",
    # irt
    "score_responses": "lsakit.irt.scoring",
    "calibrate": "lsakit.irt.calibration",
    "CalibrationOptions": "lsakit.irt.options",
    "Prior": "lsakit.irt.options",
    "calibrate_dimensions": "lsakit.irt.dimensions",
    "calibrate_facets": "lsakit.irt.facets",
    "release_items": "lsakit.irt.release",
    "ReleaseOptions": "lsakit.irt.release",
    "score": "lsakit.irt.ability",
    "classical": "lsakit.irt.classical",
    "item_fit": "lsakit.irt.item_fit",
    "person_fit": "lsakit.irt.person_fit",
    "dif": "lsakit.irt.dif",
    "link": "lsakit.irt.linking",
    "link_cycle": "lsakit.irt.cycle_linking",
    "link_concurrent": "lsakit.irt.concurrent_linking",
    "mode_effects": "lsakit.irt.mode_effects",
    "country_linking_error": "lsakit.irt.linking_error",
    "share_linking_error": "lsakit.irt.linking_error",
    "reliability": "lsakit.irt.reliability",
    # population
    "fit_population": "lsakit.population.latent_regression",
    "fit_population_by_group": "lsakit.population.population_groups",
    "PopulationOptions": "lsakit.population.latent_regression",
    "draw_plausible_values": "lsakit.population.plausible_values",
    "set_scale": "lsakit.population.reporting_scale",
    "angoff": "lsakit.population.standard_setting",
    "bookmark": "lsakit.population.standard_setting",
    "ordered_item_booklet": "lsakit.population.item_maps",
    "item_map": "lsakit.population.item_maps",
    "questionnaire_scale": "lsakit.population.questionnaire_scale",
    "socioeconomic_index": "lsakit.population.socioeconomic_index",
    # estimation
    "SurveyDesign": "lsakit.estimation.survey_design",
    "estimate_means": "lsakit.estimation.means",
    "estimate_percentiles": "lsakit.estimation.percentiles",
    "estimate_levels": "lsakit.estimation.proportions",
    "estimate_proportions": "lsakit.estimation.proportions",
    "estimate_frequencies": "lsakit.estimation.cross_tables",
    "estimate_cross_table": "lsakit.estimation.cross_tables",
    "estimate_correlations": "lsakit.estimation.correlations",
    "estimate_regression": "lsakit.estimation.regression",
    "estimate_quantile_regression": "lsakit.estimation.quantile_regression",
    "estimate_multilevel": "lsakit.estimation.multilevel",
    "estimate_variance_components": "lsakit.estimation.multilevel",
    "estimate_gradient": "lsakit.estimation.equity",
    "estimate_relative_risk": "lsakit.estimation.equity",
    "estimate_resilience": "lsakit.estimation.equity",
    "estimate_decomposition": "lsakit.estimation.decomposition",
    "estimate": "lsakit.estimation.own_statistics",
    "prepare": "lsakit.estimation.replication",
    "open_shards": "lsakit.estimation.sharded",
    "quantile_groups": "lsakit.estimation.quantile_groups",
    "compare": "lsakit.estimation.comparisons",
    "effect_sizes": "lsakit.estimation.effect_sizes",
    "design_effects": "lsakit.estimation.effect_sizes",
    "trend": "lsakit.estimation.trends",
    # files, lineage, the whole cycle
    "read_table": "lsakit.io.files",
    "write_table": "lsakit.io.files",
    "Codebook": "lsakit.io.codebook",
    "Store": "lsakit.lineage",
    "datasets": "lsakit.datasets",
    "pipeline": "lsakit.pipeline",
    "tables": "lsakit.tables",
}

__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604 - the names are those of the table above


def __getattr__(name: str) -> Any:
    """Load a public name from its room when it is first asked for."""
    if name not in _PUBLIC:
        raise AttributeError(f"lsakit has no public name {name!r}; see lsakit.__all__")
    target = _PUBLIC[name]
    module = import_module(target)
    value = module if target == f"lsakit.{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
