"""Predictions, metrics and statistics.

Predictions are written once (:mod:`~ugcl.evaluation.predict`); every number is derived from them.
"""
