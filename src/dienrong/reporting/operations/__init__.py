"""Writes of the reporting room; each is one transaction with its permission and its audit entry inside."""

from dienrong.reporting.operations.approving import approve, hand_over, reopen, return_text, take_back
from dienrong.reporting.operations.citing import cite, renew
from dienrong.reporting.operations.measures import MeasureFacts, remove_measure, save_measure
from dienrong.reporting.operations.press import hold_press_note, release_press_note, save_press_note
from dienrong.reporting.operations.publishing import publish_report, store_comparison, withdraw_report
from dienrong.reporting.operations.refusals import WritingRefusal
from dienrong.reporting.operations.writing import (
    Saved,
    begin_text,
    restore_version,
    save_section,
    settle_conflict,
)

__all__ = [
    "MeasureFacts",
    "Saved",
    "WritingRefusal",
    "approve",
    "begin_text",
    "cite",
    "hand_over",
    "hold_press_note",
    "publish_report",
    "release_press_note",
    "remove_measure",
    "renew",
    "reopen",
    "restore_version",
    "return_text",
    "save_measure",
    "save_press_note",
    "save_section",
    "settle_conflict",
    "store_comparison",
    "take_back",
    "withdraw_report",
]
