"""The small cycle and the small study, for the tests of these pages."""

from small_cycle import cycle, done_run, make_run, registry, small_store
from small_scaling import data_folder, frozen, make_scaling, scaled, study

__all__ = [
    "cycle",
    "data_folder",
    "done_run",
    "frozen",
    "make_run",
    "make_scaling",
    "registry",
    "scaled",
    "small_store",
    "study",
]
