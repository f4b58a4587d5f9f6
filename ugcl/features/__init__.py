"""Media decoding, faces and encoders: from clips to feature shards."""
