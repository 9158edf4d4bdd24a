"""Item response models: from raw answers to item parameters and abilities.

``scoring`` turns raw responses into scores by a named rule; ``calibration`` estimates items and groups in one dimension,
``dimensions`` in two to four, ``facets`` with coders; ``ability`` estimates persons. One EM engine serves them all; its
algorithm stands in docs/algorithms/calibration.md, the models in docs/algorithms/item_models.md.
"""
