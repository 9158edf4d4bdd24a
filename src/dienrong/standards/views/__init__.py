"""Pages of the facilitator and of the panelists."""
