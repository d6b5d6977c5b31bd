"""`posecascade train RECIPE`: train one stage of the cascade, from a recipe to its checkpoint.

Parsing and `--help` need no extra; the work itself needs the extra `train` and is imported when it begins.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from posecascade.models.errors import ModelError

DEVICES = ("auto", "cpu", "cuda")


def main(argv: Sequence[str] | None = None) -> int:
    """Trains the stage of a recipe; 0 done, 2 the recipe or the installation is wrong (one line says how)."""
    options = _parser().parse_args(argv)
    try:
        print(_train(options))
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("posecascade"):
            raise
        print(
            f"posecascade train needs the package {error.name!r}, which is not installed: "
            "pip install 'posecascade[train]'",
            file=sys.stderr,
        )
        return 2
    except (ValueError, ModelError, OSError) as error:
        print(f"posecascade train: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="posecascade train",
        description="Train one stage of the cascade (needs the extra `train`).",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "recipe",
        type=Path,
        help="a TOML file, e.g. models/lab/training/recipes/coarse.toml",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("runs"), help="folder for checkpoints and logs"
    )
    parser.add_argument(
        "--device",
        choices=DEVICES,
        default="auto",
        help="where to train; auto: cuda where torch finds one, else cpu",
    )
    return parser


def _train(options: argparse.Namespace) -> Path:
    import torch

    from posecascade.models.lab.training.pipeline import train
    from posecascade.models.lab.training.recipe import load_recipe

    device = options.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return train(load_recipe(options.recipe), options.out, torch.device(device))
