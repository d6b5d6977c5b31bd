"""The cascade of one frame."""

from posecascade.models.cascade.cascade import Cascade

__all__ = ["Cascade"]
