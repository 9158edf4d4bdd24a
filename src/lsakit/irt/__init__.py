"""Item response models: from raw answers to item parameters and abilities.

``scoring`` turns raw responses into scores by a named rule, ``calibration`` estimates items and groups,
``ability`` estimates persons. One engine serves all models of the partial credit family; its algorithm stands
in docs/algorithms/calibration.md.
"""
