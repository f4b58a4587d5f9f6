"""Networks and terms of systems that were published for sound and faces."""
