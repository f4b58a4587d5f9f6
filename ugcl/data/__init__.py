"""Corpora, manifests, splits, feature stores and datasets."""
