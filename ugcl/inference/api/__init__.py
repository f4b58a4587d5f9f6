"""The Python interface: trained systems on clips, and methods on arrays."""
