"""What the reporting room keeps."""

from dienrong.reporting.models.press import PressNote
from dienrong.reporting.models.publications import ComparisonRow, Publication
from dienrong.reporting.models.writing import (
    Citation,
    FrozenText,
    Measure,
    ProvincialText,
    TextSection,
    TextVersion,
)

__all__ = [
    "Citation",
    "ComparisonRow",
    "FrozenText",
    "Measure",
    "PressNote",
    "ProvincialText",
    "Publication",
    "TextSection",
    "TextVersion",
]
