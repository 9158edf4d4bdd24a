"""Pages of the scaling room."""
