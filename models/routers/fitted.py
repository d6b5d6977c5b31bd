"""Fitted policies to JSON and back: what the manifest's calibration holds under `policies`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from models.records import Stage
from models.routers.corners import AlternatePolicy, AlwaysPolicy, NeverPolicy, RandomPolicy
from models.routers.gain import GainPolicy
from models.routers.idk import Chain, IdkPolicy
from models.routers.linear import Linear
from models.routers.priced import INPUTS, PricedPolicy
from models.routers.skip import Gates, SkipPolicy
from models.routers.table import FEATURES, Policy
from models.routers.threshold import ThresholdPolicy

PRICED: Final = ("actor", "pragmatic_critic", "optimistic_critic")
CORNERS: Final[tuple[Policy, ...]] = (NeverPolicy(), AlwaysPolicy(), RandomPolicy(), AlternatePolicy())


def read_policies(said: Mapping[str, Any]) -> dict[str, Policy]:
    """The policies by name, the default first, the corners last.

    Args:
        said: `features`, the names that weights belong to, in their order, and `fitted`, the parameters by policy.

    Raises:
        KeyError, ValueError: something is lacking, or was fitted on other features.
    """
    if tuple(said["features"]) != FEATURES:
        raise ValueError(f"policies were fitted on the features {', '.join(said['features'])}, this program has "
                         f"{', '.join(FEATURES)}: fit them again")
    made = [READ[name](name, parameters) for name, parameters in said["fitted"].items()]
    return {policy.name: policy for policy in (*made, *CORNERS)}


def _gain(name: str, said: Sequence[Mapping[str, Any]]) -> Policy:
    return GainPolicy({(Stage(one["after"]), tuple(map(Stage, one["way"]))): Linear.read(one) for one in said}, name)


def gain_as_json(policy: GainPolicy) -> list[dict[str, Any]]:
    return [{"after": str(after), "way": [str(stage) for stage in way]} | gain.as_json()
            for (after, way), gain in policy.gains.items()]


def _threshold(name: str, said: Mapping[str, Any]) -> Policy:
    return ThresholdPolicy({Stage(stage): float(share) for stage, share in said.items()}, name)


def threshold_as_json(policy: ThresholdPolicy) -> dict[str, float]:
    return {str(stage): share for stage, share in policy.shares.items()}


def _idk(name: str, said: Sequence[Mapping[str, Any]]) -> Policy:
    return IdkPolicy(tuple(Chain(**{key: float(value) for key, value in one.items()}) for one in said), name)


def idk_as_json(policy: IdkPolicy) -> list[dict[str, float]]:
    return [{"price": one.price, "coarse_mm": one.coarse_mm, "refine_mm": one.refine_mm} for one in policy.chains]


def _skip(name: str, said: Sequence[Mapping[str, Any]]) -> Policy:
    return SkipPolicy(tuple(Gates(float(one["price"]), *(Linear.read(one[gate]) for gate in GATES)) for one in said),
                      name)


GATES: Final = ("refine", "expert", "expert_after_refine")


def skip_as_json(policy: SkipPolicy) -> list[dict[str, Any]]:
    return [{"price": one.price} | {gate: getattr(one, gate).as_json() for gate in GATES} for one in policy.gates]


def _priced(name: str, said: Sequence[Mapping[str, Any]]) -> Policy:
    return PricedPolicy({(Stage(one["after"]), Stage(one["to"])): Linear.read(one, INPUTS) for one in said}, name)


def priced_as_json(policy: PricedPolicy) -> list[dict[str, Any]]:
    return [{"after": str(after), "to": str(to)} | linear.as_json()
            for (after, to), linear in policy.advantages.items()]


READ: Final[dict[str, Callable[[str, Any], Policy]]] = {
    "gain": _gain, "threshold": _threshold, "idk": _idk, "skip": _skip, "skip_from_scratch": _skip,
    **dict.fromkeys(PRICED, _priced),
}
"""By the names that `Options.policy` takes."""
