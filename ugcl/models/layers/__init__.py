"""Parts that several published systems share, by family."""
