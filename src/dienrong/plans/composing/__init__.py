"""Reports as content: facts read once, then written as sections."""
