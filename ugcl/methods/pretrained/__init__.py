"""Networks and terms of systems that were published on encoders pre-trained for emotion."""
