"""Weights: response rates, base weights, non-response adjustment, trimming, replicate weights.

`response_rates.response_rates` says how many took part, `final_weights.final_weights` builds the weight of
every respondent step by step, `replicates.replicate_weights` repeats the steps under each replicate. The
thresholds are data: one file per programme in ``rules/``, read by `profiles.read_rules`.
"""
