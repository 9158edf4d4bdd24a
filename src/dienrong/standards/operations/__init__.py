"""Changes of the room: each is one transaction with its permission and its audit entry inside."""

from dienrong.standards.operations.judging import (
    missing_places,
    save_judgments,
    submit_entry,
    take_back_entry,
    type_entry,
)
from dienrong.standards.operations.panel import (
    Person,
    Slip,
    add_panelists,
    demand_open_link,
    enter,
    open_slips,
    panelist_of_code,
    remove_panelist,
    renew_link,
    revoke_link,
)
from dienrong.standards.operations.refusals import LinkClosed, NotNow, StandardRefusal
from dienrong.standards.operations.rounds import adopt_cuts, close_round, compute_cuts, open_round
from dienrong.standards.operations.sessions import (
    LevelText,
    NewSession,
    describe_items,
    open_session,
    withdraw_session,
)

__all__ = [
    "LevelText",
    "LinkClosed",
    "NewSession",
    "NotNow",
    "Person",
    "Slip",
    "StandardRefusal",
    "add_panelists",
    "adopt_cuts",
    "close_round",
    "compute_cuts",
    "demand_open_link",
    "describe_items",
    "enter",
    "missing_places",
    "open_round",
    "open_session",
    "open_slips",
    "panelist_of_code",
    "remove_panelist",
    "renew_link",
    "revoke_link",
    "save_judgments",
    "submit_entry",
    "take_back_entry",
    "type_entry",
    "withdraw_session",
]
