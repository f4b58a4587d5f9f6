"""The browser app: a trained system for clips that are uploaded, dropped or recorded."""
