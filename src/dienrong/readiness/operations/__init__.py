"""Changes of the room: each is one transaction with its entry in the log."""

from dienrong.readiness.operations.checks import (
    close_link,
    find_link,
    make_link,
    receive_for,
    receive_report,
    shown_code,
    ticket_of,
)
from dienrong.readiness.operations.deciding import decide_mode
from dienrong.readiness.operations.loading import undo_groups, undo_surveys, write_groups, write_surveys
from dienrong.readiness.operations.money import (
    LineFacts,
    add_line,
    begin_budget,
    change_source,
    fill_budget,
    further_version,
    move_budget,
    remove_line,
    set_price,
)
from dienrong.readiness.operations.norms import STANDARD_RULES, NormFacts, set_norm
from dienrong.readiness.operations.refusals import CodesLocked, NotNow, ReadinessRefusal, ReportRefused
from dienrong.readiness.operations.rounds import open_round
from dienrong.readiness.operations.surveys import (
    GroupFacts,
    add_group,
    answer,
    may_accept,
    remove_group,
    review,
    submit,
)

__all__ = [
    "STANDARD_RULES",
    "CodesLocked",
    "GroupFacts",
    "LineFacts",
    "NormFacts",
    "NotNow",
    "ReadinessRefusal",
    "ReportRefused",
    "add_group",
    "add_line",
    "answer",
    "begin_budget",
    "change_source",
    "close_link",
    "decide_mode",
    "fill_budget",
    "find_link",
    "further_version",
    "make_link",
    "may_accept",
    "move_budget",
    "open_round",
    "receive_for",
    "receive_report",
    "remove_group",
    "remove_line",
    "review",
    "set_norm",
    "set_price",
    "shown_code",
    "submit",
    "ticket_of",
    "undo_groups",
    "undo_surveys",
    "write_groups",
    "write_surveys",
]
