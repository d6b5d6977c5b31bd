"""Rendered people with exact truth, from freely licensed bodies, clothes, motion and light (README.md)."""

from models.datasets.synthetic.people import SyntheticPeople

__all__ = ["SyntheticPeople"]
