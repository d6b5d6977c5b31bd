"""`posecascade export`: checkpoints to ONNX, ONNX to TensorRT, and the check that they agree.

Parsing and `--help` need no extra; each command imports what it needs when it begins.
"""

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from posecascade.models.errors import ModelError
from posecascade.models.manifest import WEIGHTS

DEMO = Path("docs/demo")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 0 done, 1 failed with one line that says why, 2 usage."""
    options = _parser().parse_args(argv)
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    # not the root: torch's exporter logs every tensor that it moves
    logging.getLogger("posecascade").setLevel(logging.INFO)
    try:
        for line in options.run(options):
            print(line)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("posecascade"):
            raise
        print(
            f"posecascade export needs the package {error.name!r}, which is not installed: "
            "pip install 'posecascade[train]'",
            file=sys.stderr,
        )
        return 1
    except (ModelError, ValueError, OSError) as error:
        print(f"posecascade export: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="posecascade export",
        description="Checkpoints to ONNX, ONNX to TensorRT, and the check that they agree.",
    )
    commands = parser.add_subparsers(required=True)
    to_onnx = commands.add_parser(
        "onnx",
        help="write the stages' ONNX files and their manifest (needs extra `train`)",
    )
    to_onnx.set_defaults(run=_onnx)
    check = commands.add_parser(
        "check",
        help="compare the ONNX files with the checkpoints again (needs extra `train`)",
    )
    check.set_defaults(run=_check)
    for command in (to_onnx, check):
        command.add_argument(
            "checkpoints",
            type=Path,
            nargs=3,
            metavar="CHECKPOINT",
            help="one of each stage",
        )
        command.add_argument(
            "--frames",
            type=Path,
            nargs="+",
            default=[DEMO],
            help=f"pictures and videos to check with (default: {DEMO})",
        )
    to_tensorrt = commands.add_parser(
        "tensorrt",
        help="build TensorRT engines before the service needs them",
    )
    to_tensorrt.set_defaults(run=_tensorrt)
    to_tensorrt.add_argument(
        "--runtime",
        choices=("tensorrt", "tensorrt-rtx"),
        default="tensorrt",
        help="of the GPU at hand (default: %(default)s)",
    )
    to_tensorrt.add_argument(
        "--cache",
        type=Path,
        help="folder of the engines (default: the user's cache)",
    )
    to_tensorrt.add_argument(
        "--architecture",
        nargs="+",
        default=[],
        metavar="SM",
        help="build for these without a GPU, such as SM89; always with TensorRT-RTX",
    )
    for command in (to_onnx, check, to_tensorrt):
        command.add_argument(
            "--weights",
            type=Path,
            default=WEIGHTS,
            help="folder of the ONNX files and the manifest (default: %(default)s)",
        )
    return parser


# Each imports its own: building engines must work where torch is not installed.
def _onnx(options: argparse.Namespace) -> Iterator[str]:
    from posecascade.export.release import load_modules, release

    modules = load_modules(options.checkpoints)
    parities = release(modules, options.weights, options.frames)
    for stage, parity in parities.items():
        yield f"{options.weights / stage}.onnx: {parity.joints_mm:.4f} mm from torch"


def _check(options: argparse.Namespace) -> Iterator[str]:
    from posecascade.export.release import check, load_modules

    modules = load_modules(options.checkpoints)
    parities = check(modules, options.weights, options.frames)
    for stage, parity in parities.items():
        yield f"{options.weights / stage}.onnx: {parity.joints_mm:.4f} mm from torch"


def _tensorrt(options: argparse.Namespace) -> Iterator[str]:
    from posecascade.export.to_tensorrt import build_ahead, build_engines

    if options.architecture:
        return build_ahead(
            options.weights, architectures=options.architecture, cache=options.cache
        )
    return build_engines(options.weights, runtime=options.runtime, cache=options.cache)


if __name__ == "__main__":
    sys.exit(main())
