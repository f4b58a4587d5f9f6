"""Methods that train a pretrained network."""
