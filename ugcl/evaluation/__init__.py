"""Predictions, metrics and statistics.

Predictions are written once (:mod:`~ugcl.evaluation.networks.predict`); every number is derived from them.

Arguments of the same name mean the same everywhere: `config`, the parameters; `benchmark` and `system`, keys
of the parameters; `frame`, predictions of all seeds and folds; `classes`, class names in order; `settings`,
draws, level and seed of the intervals.
"""
