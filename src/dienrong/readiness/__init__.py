"""Facilities and machines of schools: survey, self-check of machines, go or no-go, gap, procurement, budget."""
