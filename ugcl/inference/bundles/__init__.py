"""Bundles: a trained system as one folder or zip file that works without the project."""
