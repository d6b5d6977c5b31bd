"""Fitted policies to JSON and back: what the manifest's calibration holds under `policies`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from posecascade.models.policies.baselines import (
    AlternatePolicy,
    AlwaysPolicy,
    NeverPolicy,
    RandomPolicy,
)
from posecascade.models.policies.gain import GainPolicy
from posecascade.models.policies.idk import Chain, IdkPolicy
from posecascade.models.policies.linear import Linear
from posecascade.models.policies.price_conditioned import INPUTS, PricedPolicy
from posecascade.models.policies.skipnet import Gates, SkipPolicy
from posecascade.models.policies.table import FEATURES, Policy
from posecascade.models.policies.threshold import ThresholdPolicy
from posecascade.models.records import Stage

PRICED: Final = ("actor", "pragmatic_critic", "optimistic_critic")
CORNERS: Final[tuple[Policy, ...]] = (
    NeverPolicy(),
    AlwaysPolicy(),
    RandomPolicy(),
    AlternatePolicy(),
)


def read_policies(parsed: Mapping[str, Any]) -> dict[str, Policy]:
    """The policies by name, the default first, the corners last.

    Args:
        parsed: `features`, the names that weights belong to, in their order, and `fitted`, the parameters by policy.

    Raises:
        KeyError, ValueError: something is lacking, or was fitted on other features.
    """
    if tuple(parsed["features"]) != FEATURES:
        raise ValueError(
            f"policies were fitted on the features {', '.join(parsed['features'])}, this program has "
            f"{', '.join(FEATURES)}: fit them again"
        )
    made = [
        READ[name](name, parameters) for name, parameters in parsed["fitted"].items()
    ]
    return {policy.name: policy for policy in (*made, *CORNERS)}


def _gain(name: str, parsed: Sequence[Mapping[str, Any]]) -> Policy:
    return GainPolicy(
        {
            (Stage(one["after"]), tuple(map(Stage, one["way"]))): Linear.read(one)
            for one in parsed
        },
        name,
    )


def gain_as_json(policy: GainPolicy) -> list[dict[str, Any]]:
    return [
        {"after": str(after), "way": [str(stage) for stage in way]} | gain.as_json()
        for (after, way), gain in policy.gains.items()
    ]


def _threshold(name: str, parsed: Mapping[str, Any]) -> Policy:
    return ThresholdPolicy(
        {Stage(stage): float(share) for stage, share in parsed.items()}, name
    )


def threshold_as_json(policy: ThresholdPolicy) -> dict[str, float]:
    return {str(stage): share for stage, share in policy.shares.items()}


def _idk(name: str, parsed: Sequence[Mapping[str, Any]]) -> Policy:
    return IdkPolicy(
        tuple(
            Chain(**{key: float(value) for key, value in one.items()}) for one in parsed
        ),
        name,
    )


def idk_as_json(policy: IdkPolicy) -> list[dict[str, float]]:
    return [
        {"price": one.price, "coarse_mm": one.coarse_mm, "refine_mm": one.refine_mm}
        for one in policy.chains
    ]


def _skip(name: str, parsed: Sequence[Mapping[str, Any]]) -> Policy:
    return SkipPolicy(
        tuple(
            Gates(float(one["price"]), *(Linear.read(one[gate]) for gate in GATES))
            for one in parsed
        ),
        name,
    )


GATES: Final = ("refine", "expert", "expert_after_refine")


def skip_as_json(policy: SkipPolicy) -> list[dict[str, Any]]:
    return [
        {"price": one.price} | {gate: getattr(one, gate).as_json() for gate in GATES}
        for one in policy.gates
    ]


def _priced(name: str, parsed: Sequence[Mapping[str, Any]]) -> Policy:
    return PricedPolicy(
        {
            (Stage(one["after"]), Stage(one["to"])): Linear.read(one, INPUTS)
            for one in parsed
        },
        name,
    )


def priced_as_json(policy: PricedPolicy) -> list[dict[str, Any]]:
    return [
        {"after": str(after), "to": str(to)} | linear.as_json()
        for (after, to), linear in policy.advantages.items()
    ]


READ: Final[dict[str, Callable[[str, Any], Policy]]] = {
    "gain": _gain,
    "threshold": _threshold,
    "idk": _idk,
    "skip": _skip,
    "skip_from_scratch": _skip,
    **dict.fromkeys(PRICED, _priced),
}
"""By the names that `Options.policy` takes."""
