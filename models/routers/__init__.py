"""Routing policies: pure functions of numbers (NumPy only)."""

from models.calibration.tables import Calibration
from models.routers.corners import AlwaysPolicy, NeverPolicy, RandomPolicy
from models.routers.gain import GainPolicy
from models.routers.sigma import SigmaPolicy
from models.routers.table import Decision, Past, Policy, RoutingTable

__all__ = ["AlwaysPolicy", "Decision", "GainPolicy", "NeverPolicy", "Past", "Policy", "RandomPolicy", "RoutingTable",
           "SigmaPolicy", "policies"]


def policies(calibration: Calibration) -> dict[str, Policy]:
    """The policies by name, the default first."""
    made: list[Policy] = [GainPolicy(calibration.gains), SigmaPolicy(), NeverPolicy(), AlwaysPolicy(), RandomPolicy()]
    return {policy.name: policy for policy in made}
