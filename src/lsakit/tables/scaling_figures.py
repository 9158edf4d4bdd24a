"""All figures of a scaling by name: those of an item and those of the whole scale."""

from lsakit.tables.item_figures import category_curve, dif_plot, item_curve, option_plot
from lsakit.tables.scale_figures import (
    convergence_plot,
    group_distribution,
    link_plot,
    run_comparison,
    test_information,
    values_distribution,
    wright_map,
)

__all__ = [
    "category_curve",
    "convergence_plot",
    "dif_plot",
    "group_distribution",
    "item_curve",
    "link_plot",
    "option_plot",
    "run_comparison",
    "test_information",
    "values_distribution",
    "wright_map",
]
