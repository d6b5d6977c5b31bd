"""Routing policies: pure functions of numbers (NumPy only)."""

from models.routers.corners import AlternatePolicy, AlwaysPolicy, NeverPolicy, RandomPolicy
from models.routers.gain import GainPolicy
from models.routers.idk import IdkPolicy
from models.routers.pressure import Pressure
from models.routers.priced import PricedPolicy
from models.routers.skip import SkipPolicy
from models.routers.table import Decision, Past, Policy, RoutingTable
from models.routers.threshold import ThresholdPolicy

__all__ = ["AlternatePolicy", "AlwaysPolicy", "Decision", "GainPolicy", "IdkPolicy", "NeverPolicy", "Past", "Policy",
           "Pressure", "PricedPolicy", "RandomPolicy", "RoutingTable", "SkipPolicy", "ThresholdPolicy"]
