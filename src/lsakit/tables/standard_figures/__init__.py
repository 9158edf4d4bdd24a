"""The standard figures of a national assessment, each from tidy rows to a `Figure` with table and words.

Every function takes the tidy table of estimates (columns `lsakit.tables.publication.NEEDED`), a `Scope` (population,
subject, language, names, width) and gives a `lsakit.tables.figures.Figure`. See ``docs/modules/figures.md``.
"""

from lsakit.tables.standard_figures.comparisons import comparison_grid, gap_bars
from lsakit.tables.standard_figures.gradients import gradient_lines, scatter_mean_by_ses
from lsakit.tables.standard_figures.levels import stacked_levels
from lsakit.tables.standard_figures.maps import province_map, province_tiles
from lsakit.tables.standard_figures.percentiles import percentile_bars, percentile_fan
from lsakit.tables.standard_figures.scope import NARROW, WIDE, Layout, Scope
from lsakit.tables.standard_figures.trends import trend_levels, trend_lines

__all__ = [
    "NARROW",
    "WIDE",
    "Layout",
    "Scope",
    "comparison_grid",
    "gap_bars",
    "gradient_lines",
    "percentile_bars",
    "percentile_fan",
    "province_map",
    "province_tiles",
    "scatter_mean_by_ses",
    "stacked_levels",
    "trend_levels",
    "trend_lines",
]
