"""From what the networks say of themselves to what has been seen to be true of them (NumPy only)."""
