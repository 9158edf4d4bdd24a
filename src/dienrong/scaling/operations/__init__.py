"""Writes of the scaling room; each is one transaction with its permission and its audit entry inside."""

from dienrong.scaling.operations.data import (
    SentFile,
    freeze_data,
    match_columns,
    purge_drafts,
    send_files,
    take_run,
    throw_away,
)
from dienrong.scaling.operations.decisions import (
    KnownItem,
    NewDecision,
    take_decision,
    take_proposals,
    withdraw_decision,
)
from dienrong.scaling.operations.refusals import DataRefused, DecisionRefused, OptionsRefused
from dienrong.scaling.operations.running import (
    JOB_KIND,
    cancel_run,
    end_open_runs,
    execute_run,
    request_run,
    settle_runs,
)
from dienrong.scaling.operations.studies import NewStudy, create_study

__all__ = [
    "JOB_KIND",
    "DataRefused",
    "DecisionRefused",
    "KnownItem",
    "NewDecision",
    "NewStudy",
    "OptionsRefused",
    "SentFile",
    "cancel_run",
    "create_study",
    "end_open_runs",
    "execute_run",
    "freeze_data",
    "match_columns",
    "purge_drafts",
    "request_run",
    "send_files",
    "settle_runs",
    "take_decision",
    "take_proposals",
    "take_run",
    "throw_away",
    "withdraw_decision",
]
