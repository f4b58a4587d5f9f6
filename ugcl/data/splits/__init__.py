"""Folds, leaks and audits."""
