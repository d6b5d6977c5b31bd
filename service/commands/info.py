"""`posecascade info`: what would answer here, and on what terms."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import closing

from posecascade.models.errors import ModelError
from posecascade.models.manifest import Manifest
from posecascade.models.records import Stage
from posecascade.service.commands.predict import Load, add_cascade_to
from posecascade.service.wire.model import ModelReply


def add_to(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_cascade_to(parser)
    parser.add_argument(
        "--json", action="store_true", help="as GET /v1/model answers it"
    )


def run(args: argparse.Namespace, load: Load) -> int:
    """0, or 2 where the weights or the runtime do not work; the reason goes to standard error."""
    try:
        cascade = load(args.weights, runtime=args.runtime, threads=args.threads)
    except ModelError as error:
        print(f"posecascade info: {error}", file=sys.stderr)
        return 2
    with closing(cascade):
        providers = {
            stage: runner.provider for stage, runner in cascade.runners.items()
        }
        if args.json:
            reply = ModelReply.of(
                cascade.manifest,
                providers=providers,
                policies=cascade.policies,
                runtime=args.runtime,
            )
            print(json.dumps(reply.model_dump(mode="json"), indent=2))
        else:
            print("\n".join(_lines(cascade.manifest, providers, cascade.policies)))
    return 0


def _lines(
    manifest: Manifest, providers: dict[Stage, str], policies: tuple[str, ...]
) -> Iterator[str]:
    yield f"{manifest.name} {manifest.version}  weights {manifest.weights_sha256[:12]}  contract {manifest.contract}"
    yield f"  {'stage':<8}{'input h x w':<27}{'params':>8}{'GMAC':>7}{'ms':>7}{'MiB':>7}  {'runs on':<24}licence"
    for stage, spec in manifest.stages.items():
        sizes = ", ".join(f"{height}x{width}" for height, width in spec.input_sizes_hw)
        yield (
            f"  {stage:<8}{sizes:<27}{spec.params / 1e6:>7.2f}M{spec.gmacs:>7.2f}{spec.cost_ms:>7.1f}"
            f"{spec.bytes / 2**20:>7.1f}  {providers[stage]:<24}{spec.licence}"
        )
    yield f"  policies: {', '.join(policies)} (the first is the default); up to {manifest.people_slots} people a frame"
    calibration = manifest.calibration
    yield f"  balanced: price {calibration.balanced_price:g} mm a ms; calibrated on {calibration.fitted_on}"
    if calibration.guarantee is not None:
        on = calibration.guarantee
        yield (
            f"  promised with {100 * on.confidence:.0f} % confidence, judged by {on.judged_by} on {on.people} "
            f"people in {on.units} pictures or films, extra errors cut at {on.loss_bound_mm:g} mm:"
        )
    for promise in calibration.operating_points:
        yield f"    price {promise.price:g}: at most {promise.extra_error_mm:.1f} mm worse than everyone to the deepest"
