"""Analysis: runs with frozen inputs, seed and version, and the artefacts that they leave."""
