"""Reads of the fieldwork: who may see what, the board, one school, sessions, outcomes as tables."""
