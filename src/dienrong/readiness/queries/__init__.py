"""Reads of the room; ``state_of`` is what higher rooms ask."""

from dienrong.readiness.queries.standing import State, state_of

__all__ = ["State", "state_of"]
