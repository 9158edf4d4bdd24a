"""The small cycle and the small registry, for the tests of these pages."""

from small_cycle import cycle, done_run, make_run, published, registry, small_store

__all__ = ["cycle", "done_run", "make_run", "published", "registry", "small_store"]
