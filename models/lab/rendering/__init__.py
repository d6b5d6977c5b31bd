"""Rendered people with exact truth, from freely licensed bodies, clothes, motion and light (README.md)."""

from posecascade.models.lab.rendering.people import SyntheticPeople

__all__ = ["SyntheticPeople"]
