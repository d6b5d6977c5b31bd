"""The torch networks of the three stages (extra `train`)."""

from posecascade.models.lab.networks.checkpoint import (
    build_stage,
    load_stage,
    save_stage,
)

__all__ = ["build_stage", "load_stage", "save_stage"]
