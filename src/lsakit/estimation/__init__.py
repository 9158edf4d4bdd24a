"""Estimates with their errors: one pass over the rows, every replicate weight, every plausible value.

Read in this order: :mod:`~lsakit.estimation.survey_design` says where weights and replicates are,
:mod:`~lsakit.estimation.replication` turns rows into cells, :mod:`~lsakit.estimation.means`,
:mod:`~lsakit.estimation.percentiles` and :mod:`~lsakit.estimation.proportions` compute a statistic under each
weight, :mod:`~lsakit.estimation.combine` makes standard errors of them, and
:mod:`~lsakit.estimation.comparisons` subtracts them.
"""
