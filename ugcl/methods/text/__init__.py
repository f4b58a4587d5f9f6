"""Networks and terms of systems that were published for speech and text."""
