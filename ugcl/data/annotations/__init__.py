"""Corpora whose clips are segments that annotation tools marked in longer recordings."""
