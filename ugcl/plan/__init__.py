"""Which files every step reads and writes, without torch or pandas."""
