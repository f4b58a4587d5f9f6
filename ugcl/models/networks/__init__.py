"""Pretrained networks of which a method trains a part."""
