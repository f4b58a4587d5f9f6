"""Predictions, metrics and statistics.

Predictions are written once (:mod:`~ugcl.evaluation.networks.predict`); every number is derived from them.
"""
