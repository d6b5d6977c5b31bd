"""Reuse of refined estimates: those of earlier frames that are still good now (NumPy only)."""
