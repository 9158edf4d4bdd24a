"""Pages of the registry: units, schools, batches of mergers."""
