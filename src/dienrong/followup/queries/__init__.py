"""Reads of the room."""

from dienrong.followup.queries.access import demand_owner, duties_of, owns, plans_of
from dienrong.followup.queries.counting import Tally, tallies

__all__ = ["Tally", "demand_owner", "duties_of", "owns", "plans_of", "tallies"]
