"""Data files for others: codebook, disclosure control, files by international convention, metadata, a proof.

A run's tables become micro data under international names (:mod:`build`), a plan protects them
(:mod:`plan`, :mod:`protection`), and :mod:`package` writes them in every format with a codebook, metadata and a
script that reproduces a published table. The prose is in ``docs/algorithms/disclosure_control.md``.
"""

from lsakit.release.build import RunTables, build_microdata
from lsakit.release.cleaning_log import Correction, apply_log, log_of
from lsakit.release.description import Description
from lsakit.release.microdata import MicroData
from lsakit.release.package import write_release
from lsakit.release.plan import DisclosurePlan
from lsakit.release.protection import Protected, protect
from lsakit.release.reconciliation import reconcile
from lsakit.release.risk import cell_counts, individual_risk

__all__ = [
    "Correction",
    "Description",
    "DisclosurePlan",
    "MicroData",
    "Protected",
    "RunTables",
    "apply_log",
    "build_microdata",
    "cell_counts",
    "individual_risk",
    "log_of",
    "protect",
    "reconcile",
    "write_release",
]
