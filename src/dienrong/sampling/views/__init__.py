"""Pages of the sampling room."""
