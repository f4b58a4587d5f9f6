"""What encoders that run a pretrained network share."""
