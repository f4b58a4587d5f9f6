"""Audio-visual emotion recognition by unified granularity contrastive learning, as a workflow."""

__version__ = "0.1.0"
