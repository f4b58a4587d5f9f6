"""What files of recordings say of themselves: what they are, and how long."""
