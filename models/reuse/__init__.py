"""What a stream remembers of its people: deep looks that are still good a few frames later (NumPy only)."""
