"""Reads of the reporting room."""

from dienrong.reporting.queries.reports import (
    ReadableReport,
    comparison_rows,
    comparison_studies,
    largest_difference,
    newer_run,
    publication_in_force,
    readable_report,
    readable_reports,
)

__all__ = [
    "ReadableReport",
    "comparison_rows",
    "comparison_studies",
    "largest_difference",
    "newer_run",
    "publication_in_force",
    "readable_report",
    "readable_reports",
]
