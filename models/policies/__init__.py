"""Routing policies: pure functions of numbers (NumPy only)."""

from posecascade.models.policies.baselines import (
    AlternatePolicy,
    AlwaysPolicy,
    NeverPolicy,
    RandomPolicy,
)
from posecascade.models.policies.gain import GainPolicy
from posecascade.models.policies.idk import IdkPolicy
from posecascade.models.policies.load import LoadState
from posecascade.models.policies.price_conditioned import PricedPolicy
from posecascade.models.policies.skipnet import SkipPolicy
from posecascade.models.policies.table import (
    Decision,
    Policy,
    RoutingTable,
    TemporalFeatures,
)
from posecascade.models.policies.threshold import ThresholdPolicy

__all__ = [
    "AlternatePolicy",
    "AlwaysPolicy",
    "Decision",
    "GainPolicy",
    "IdkPolicy",
    "LoadState",
    "NeverPolicy",
    "Policy",
    "PricedPolicy",
    "RandomPolicy",
    "RoutingTable",
    "SkipPolicy",
    "TemporalFeatures",
    "ThresholdPolicy",
]
