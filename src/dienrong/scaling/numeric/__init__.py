"""Columns and tables to lsakit and back, for the scaling room; no ORM here, so that runs can leave the web process."""

from dienrong.scaling.numeric.results import impact, item_table

__all__ = ["impact", "item_table"]
