"""Rules of each programme as data files that name their source."""
