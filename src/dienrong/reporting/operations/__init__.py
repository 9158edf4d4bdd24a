"""Writes of the reporting room; each is one transaction with its permission and its audit entry inside."""

from dienrong.reporting.operations.publishing import publish_report, store_comparison, withdraw_report

__all__ = ["publish_report", "store_comparison", "withdraw_report"]
