"""Reporting: what the public reads, and the walk from each figure back to its inputs."""
