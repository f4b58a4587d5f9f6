"""Corpus adapters: one module per corpus, each with a `rows(root, corpus)` function."""
