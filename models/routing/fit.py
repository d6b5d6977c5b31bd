"""Fits every policy on recorded routing tables (`posecascade eval record`).

    python -m models.routing.fit TABLE.npz... --out policies.json
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from models.evaluation.recorded import Recorded
from models.manifest import WEIGHTS
from models.records import Stage
from models.routers import fitted
from models.routers.table import FEATURES
from models.routing.chain import fit_idk
from models.routing.critics import fit_actor, fit_critic
from models.routing.gains import fit_gain, fit_threshold
from models.routing.gates import fit_skip
from models.routing.targets import cases

PRICES: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""mm a millisecond, for policies that are learned for some prices."""


def fit_policies(tables: Sequence[Recorded], cost_ms: Mapping[Stage, float]) -> dict[str, Any]:
    """Parameters as `routers.fitted.read_policies` reads them, the default first.

    Raises:
        ValueError: nobody to learn from.
    """
    people = cases(tables)
    critics = [fit_critic(people, cost_ms, PRICES, optimistic=optimistic) for optimistic in (False, True)]
    gates = [fit_skip(people, cost_ms, PRICES, warm=warm) for warm in (True, False)]
    return {"features": list(FEATURES), "fitted": {
        "gain": fitted.gain_as_json(fit_gain(people)),
        "threshold": fitted.threshold_as_json(fit_threshold(people)),
        "idk": fitted.idk_as_json(fit_idk(people, cost_ms, PRICES)),
        **{policy.name: fitted.skip_as_json(policy) for policy in gates},
        "actor": fitted.priced_as_json(fit_actor(people, cost_ms, PRICES)),
        **{policy.name: fitted.priced_as_json(policy) for policy in critics},
    }}


def costs(manifest: Path) -> dict[Stage, float]:
    """Of one more person at each stage, as a weights folder's manifest has them."""
    stages = json.loads(manifest.read_text())["stages"]
    return {Stage(name): float(spec["cost_ms"]) for name, spec in stages.items()}


def main(argv: Sequence[str] | None = None) -> None:
    """Writes the parameters."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="folder of the manifest with the costs")
    parser.add_argument("--out", type=Path, default=Path("out/policies.json"))
    args = parser.parse_args(argv)
    found = fit_policies([Recorded.load(path) for path in args.tables], costs(args.weights / "manifest.json"))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
