"""Systems that are trained and scored: encoders, tokens, fusion, heads."""
