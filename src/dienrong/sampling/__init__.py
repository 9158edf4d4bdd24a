"""Sampling: the frozen frame, the plan, the public draw and its record."""
