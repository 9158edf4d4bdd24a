"""Cycles: programmes, their rounds and the 14 steps of the national procedure."""
