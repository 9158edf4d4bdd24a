"""Pages of the rosters and of the vault."""
