"""The embedded synthetic corpus: faces, voices and clips made from a seed (design of the `demo` corpus)."""
