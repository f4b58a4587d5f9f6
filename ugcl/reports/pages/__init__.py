"""Pages: front page, notebooks, model cards."""
