"""Where a number comes from: immutable artefacts named by their values, and manifests that name their inputs.

A step takes tables and parameters and gives tables and parameters. What it gives is kept in a
content-addressed :class:`Store`; how it was made is kept in a :class:`Manifest`, itself named by the hash of
its content. From any artefact one can walk back to the first inputs, recompute each step, and see whether a
byte was changed since. The prose is in ``docs/algorithms/lineage.md``.
"""

from lsakit.lineage.hashing import canonical_json, hash_bytes, hash_parameters, hash_table
from lsakit.lineage.manifests import Artefact, Manifest, software_versions
from lsakit.lineage.rerun import RerunReport, compare_outputs, rerun
from lsakit.lineage.steps import Progress, Step, StepCall, StepRequest, make_manifest, run_step, step_key
from lsakit.lineage.store import Store
from lsakit.lineage.trace import ancestry, producer
from lsakit.lineage.verification import Finding

__all__ = [
    "Artefact",
    "Finding",
    "Manifest",
    "Progress",
    "RerunReport",
    "Step",
    "StepCall",
    "StepRequest",
    "Store",
    "ancestry",
    "canonical_json",
    "compare_outputs",
    "hash_bytes",
    "hash_parameters",
    "hash_table",
    "make_manifest",
    "producer",
    "rerun",
    "run_step",
    "software_versions",
    "step_key",
]
