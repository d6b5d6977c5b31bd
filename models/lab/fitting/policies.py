"""Fits every policy on recorded routing tables (`posecascade eval record`).

python -m posecascade.models.lab.fitting.policies TABLE.npz... --out policies.json
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from posecascade.models.lab.fitting.gain import fit_gain, fit_threshold
from posecascade.models.lab.fitting.idk import fit_idk
from posecascade.models.lab.fitting.price_conditioned import fit_actor, fit_critic
from posecascade.models.lab.fitting.skipnet import fit_skip
from posecascade.models.lab.fitting.targets import cases
from posecascade.models.lab.scoring.recorded import Recorded
from posecascade.models.manifest import WEIGHTS
from posecascade.models.policies import serialized as fitted
from posecascade.models.policies.table import FEATURES
from posecascade.models.records import Stage

PRICES: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""mm a millisecond, for policies that are learned for some prices."""


def fit_policies(
    tables: Sequence[Recorded], cost_ms: Mapping[Stage, float]
) -> dict[str, Any]:
    """Parameters as `routers.fitted.read_policies` reads them, the default first.

    Raises:
        ValueError: nobody to learn from.
    """
    people = cases(tables)
    critics = [
        fit_critic(people, cost_ms, PRICES, optimistic=optimistic)
        for optimistic in (False, True)
    ]
    gates = [fit_skip(people, cost_ms, PRICES, warm=warm) for warm in (True, False)]
    return {
        "features": list(FEATURES),
        "fitted": {
            "gain": fitted.gain_as_json(fit_gain(people)),
            "threshold": fitted.threshold_as_json(fit_threshold(people)),
            "idk": fitted.idk_as_json(fit_idk(people, cost_ms, PRICES)),
            **{policy.name: fitted.skip_as_json(policy) for policy in gates},
            "actor": fitted.priced_as_json(fit_actor(people, cost_ms, PRICES)),
            **{policy.name: fitted.priced_as_json(policy) for policy in critics},
        },
    }


def costs(manifest: Path) -> dict[Stage, float]:
    """Of one more person at each stage, as a weights folder's manifest has them."""
    stages = json.loads(manifest.read_text())["stages"]
    return {Stage(name): float(spec["cost_ms"]) for name, spec in stages.items()}


def main(argv: Sequence[str] | None = None) -> None:
    """Writes the parameters."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument(
        "--weights",
        type=Path,
        default=WEIGHTS,
        help="folder of the manifest with the costs",
    )
    parser.add_argument("--out", type=Path, default=Path("out/policies.json"))
    args = parser.parse_args(argv)
    found = fit_policies(
        [Recorded.load(path) for path in args.tables],
        costs(args.weights / "manifest.json"),
    )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
