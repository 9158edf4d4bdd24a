"""Explorer and public portal: questions to published runs, and everything the public may read."""
