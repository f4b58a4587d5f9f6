"""Systems that are trained and scored."""
