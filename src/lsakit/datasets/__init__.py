"""Data that need no file: the country's administrative units, and a synthetic nation whose truth is known.

``nation(seed=2026)`` makes schools, pupils, an instrument and an administration from one seed; every estimate
made on it can be held against ``nation.truth(grade)``. The model stands in
``docs/algorithms/synthetic_nation.md``; the sources of the facts stand in ``data/README.md``.
``full_register(seed=2026)`` makes 53,000 schools of every kind with five years of enrolments and with lists of
pupils and staff, without a single fault.
"""

from lsakit.datasets import units
from lsakit.datasets.administration import Administration
from lsakit.datasets.full_register import FullRegister, full_register
from lsakit.datasets.nation_details import NationDetails, nation_details, nation_students
from lsakit.datasets.nation_size import NationSize
from lsakit.datasets.synthetic_nation import Nation, nation
from lsakit.datasets.truth import TruthOptions

__all__ = [
    "Administration",
    "FullRegister",
    "Nation",
    "NationDetails",
    "NationSize",
    "TruthOptions",
    "full_register",
    "nation",
    "nation_details",
    "nation_students",
    "units",
]
