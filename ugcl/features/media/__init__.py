"""Media decoding: sound, pictures, clips."""
