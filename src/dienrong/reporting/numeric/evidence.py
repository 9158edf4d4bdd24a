"""The evidence that a run offers to the report of a province, as plain values."""

from __future__ import annotations

from functools import lru_cache

from dienrong.reporting.numeric import reports
from dienrong.reporting.numeric.reports import Source, Wording
from lsakit.tables import Evidence, province_evidence

__all__ = ["Evidence", "evidence"]


@lru_cache(maxsize=64)
def evidence(source: Source, wording: Wording, province: str) -> tuple[Evidence, ...]:
    """Give the figures of a province as sentences, in the language of the page."""
    return province_evidence(
        reports.estimates(source), province=province, names=dict(wording.names), language=wording.language
    )
