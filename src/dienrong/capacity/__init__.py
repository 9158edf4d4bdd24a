"""People who carry assessments: posts, training, certificates of completion, required and available capacity."""
