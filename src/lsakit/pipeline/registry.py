"""All steps by name; a manifest names its step, and here it is found again."""

from __future__ import annotations

from lsakit.lineage import Step
from lsakit.pipeline.scaling.calibration import CALIBRATION_OF_SUBJECT
from lsakit.pipeline.scaling.fit import FIT
from lsakit.pipeline.scaling.item_bias import DIF
from lsakit.pipeline.scaling.item_statistics import CLASSICAL
from lsakit.pipeline.scaling.link import LINK
from lsakit.pipeline.scaling.population import POPULATION
from lsakit.pipeline.scaling.scores import SCORES
from lsakit.pipeline.scaling.sources import SOURCES
from lsakit.pipeline.scaling.values import VALUES_OF_SUBJECT
from lsakit.pipeline.stages.administration import ADMINISTRATION
from lsakit.pipeline.stages.calibration import CALIBRATION
from lsakit.pipeline.stages.estimates import ESTIMATES
from lsakit.pipeline.stages.frame import FRAME
from lsakit.pipeline.stages.linking import LINKING
from lsakit.pipeline.stages.nation import EARLIER_INSTRUMENT, NATION, NATION_GRADE
from lsakit.pipeline.stages.report import LANGUAGE_REPORTS, REPORT
from lsakit.pipeline.stages.sample import DRAW_SCHOOLS, LISTS, SAMPLE, SELECT_STUDENTS
from lsakit.pipeline.stages.scoring import SCORING
from lsakit.pipeline.stages.standard_setting import STANDARD_SETTING
from lsakit.pipeline.stages.values import VALUES
from lsakit.pipeline.stages.weights import WEIGHTS

STEPS: dict[str, Step] = {
    step.name: step
    for step in (
        NATION,
        NATION_GRADE,
        FRAME,
        SAMPLE,
        DRAW_SCHOOLS,
        LISTS,
        SELECT_STUDENTS,
        ADMINISTRATION,
        SCORING,
        WEIGHTS,
        CALIBRATION,
        VALUES,
        EARLIER_INSTRUMENT,
        LINKING,
        ESTIMATES,
        LANGUAGE_REPORTS,
        REPORT,
        SOURCES,
        SCORES,
        CLASSICAL,
        CALIBRATION_OF_SUBJECT,
        FIT,
        DIF,
        LINK,
        POPULATION,
        VALUES_OF_SUBJECT,
        STANDARD_SETTING,
    )
}
