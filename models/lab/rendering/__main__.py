"""Appearance at rendered people, or writes them as a labelled folder.

python -m posecascade.models.lab.rendering --out sheet.jpg
python -m posecascade.models.lab.rendering --labels FOLDER --frames 120 --split dev
python -m posecascade.models.lab.rendering --labels FOLDER --frames 48 --fps 25 --split dev
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image as Pictures

from posecascade.models.lab.datasets.errors import DatasetError
from posecascade.models.lab.rendering import SyntheticPeople
from posecascade.models.lab.rendering.assets import Split
from posecascade.models.lab.rendering.labels import write_labelled


def main(argv: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    try:
        source = SyntheticPeople(
            args.assets, args.split, args.size, args.photos, args.device
        )
        batches = source.batches(args.frames, args.seed, args.batch)
        if args.fps:
            batches = iter(
                [source.sequence(args.seed, args.frames, args.fps, args.batch)]
            )
        if args.labels:
            write_labelled(args.labels, batches, args.split, args.fps, source.census())
        if args.out:
            pictures = np.concatenate([images.cpu().numpy() for images, _ in batches])
            contact_sheet(pictures, args.columns).save(args.out)
    except DatasetError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def contact_sheet(pictures: np.ndarray, columns: int) -> Pictures.Image:
    """Pictures [B, 3, S, S] side by side, row after row."""
    size = pictures.shape[-1]
    rows = -(-len(pictures) // columns)
    page = np.zeros((rows * size, columns * size, 3), np.uint8)
    for index, picture in enumerate(pictures):
        top = index // columns * size
        left = index % columns * size
        page[top : top + size, left : left + size] = picture.transpose(1, 2, 0)
    return Pictures.fromarray(page)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m posecascade.models.lab.rendering", description=__doc__
    )
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--out", type=Path, help="contact sheet to write")
    wanted.add_argument(
        "--labels", type=Path, metavar="FOLDER", help="labelled folder to write"
    )
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--split", choices=list(Split), default=Split.TRAIN)
    parser.add_argument(
        "--fps", type=float, help="one scene as a film instead of a scene a frame"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=512, help="pixels a side")
    parser.add_argument(
        "--batch",
        type=int,
        default=8,
        help="frames drawn together; part of what a seed means",
    )
    parser.add_argument(
        "--photos",
        type=Path,
        metavar="FOLDER",
        help="photos without people, as backdrops",
    )
    parser.add_argument(
        "--assets", type=Path, metavar="FOLDER", help="default: beside the checkout"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--columns", type=int, default=6, help="of the contact sheet")
    return parser


if __name__ == "__main__":
    sys.exit(main())
