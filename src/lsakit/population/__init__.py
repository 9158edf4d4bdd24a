"""Population models: latent regression, plausible values and the reporting scale.

Items are held at their calibrated parameters; what is estimated here is the distribution of ability given what is
known of the students. See docs/algorithms/latent_regression.md and plausible_values.md.
"""
