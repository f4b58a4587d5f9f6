"""Several runs trained in step."""
