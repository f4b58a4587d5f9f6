"""Corpus adapters: one module a corpus, each with a `rows(root, corpus)` function."""
