"""`posecascade eval stream`: films with truth, as a stream shows them, and what reuse saves and costs."""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from tqdm import tqdm

from posecascade.models.arrays import Indices
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.lab.evaluation.command_line import (
    PEERS,
    Load,
    UsageError,
    add_cascade,
    bar,
    out_folder,
)
from posecascade.models.lab.evaluation.peers import load_peers
from posecascade.models.lab.evaluation.streams import reuse, reuse_table, run, tables
from posecascade.models.lab.evaluation.streams import shipped as default
from posecascade.models.lab.scoring import films
from posecascade.models.lab.scoring.figures import draws_of
from posecascade.models.lab.scoring.shots import shots_of
from posecascade.models.options import Quality


def stream(argv: Sequence[str], load: Load) -> int:
    """Runs `eval stream`; returns 0.

    Raises:
        UsageError: it could not begin.
    """
    args = _stream_parser().parse_args(argv)
    if args.reuse:
        return _reuse(args, load)
    if args.default:
        return _default(args, load)
    footage = _footage(args)
    cascade = load(args.weights, threads=args.threads)
    peers, skipped = load_peers(
        args.peers,
        args.peer,
        threads=args.threads,
        sample=footage[0].frames[0].image_bgr(),
    )
    for skip in skipped:
        print(f"skipped {skip.name}: {skip.reason}", file=sys.stderr)
    qualities = [Quality(quality) for quality in args.quality]
    runs = [
        run.run_film(film, cascade, qualities, peers, partial(bar, film.name))
        for film in footage
    ]
    draws = _draws(footage, args.rounds)
    report = tables.stream_report(
        runs,
        [run.names(quality) for quality in qualities],
        _stream_conditions(footage, cascade, args),
        skipped,
        draws,
    )
    return _written(
        args.out, "stream", tables.as_json(report), tables.as_markdown(report)
    )


def _reuse(args: argparse.Namespace, load: Load) -> int:
    footage = _footage(args)
    cascade = load(args.weights, threads=args.threads)
    draws = _draws(footage, args.rounds)
    reports = []
    for quality in map(Quality, args.quality):
        predicted = reuse.run_reuse(
            cascade, [reuse_table.shown(film) for film in footage], quality, args.target
        )
        reports.append(
            reuse_table.reuse_report(
                f"{quality}, films with truth", predicted, footage, draws
            )
        )
        for clip in args.clips:
            predicted = reuse.run_reuse(
                cascade, [partial(shots_of, clip)], quality, args.target
            )
            reports.append(
                reuse_table.reuse_report(
                    f"{quality}, {clip.name}", predicted, None, draws
                )
            )
    conditions = _stream_conditions(footage, cascade, args)
    return _written(
        args.out,
        "reuse",
        reuse_table.as_json(reports, conditions),
        reuse_table.as_markdown(reports, conditions),
    )


def _default(args: argparse.Namespace, load: Load) -> int:
    footage = _footage(args)
    cascade = load(args.weights, threads=args.threads)
    draws = _draws(footage, args.rounds)
    rows = default.rows_of(default.run_default(cascade, footage), footage, draws)
    conditions = _stream_conditions(footage, cascade, args)
    return _written(
        args.out,
        "default",
        default.as_json(rows, conditions),
        default.as_markdown(rows, conditions),
    )


def _written(out: Path, name: str, predicted: Mapping[str, Any], text: str) -> int:
    """Writes `name`.json and .md, prints the text, and returns 0."""
    out_folder(out)
    (out / f"{name}.json").write_text(json.dumps(predicted, indent=1) + "\n")
    (out / f"{name}.md").write_text(text)
    print(text)
    return 0


def _draws(footage: Sequence[films.Film], rounds: int) -> Indices:
    """[R, P] resampled people, of all films together."""
    return draws_of(
        sum(len(film.ids) for film in footage), rounds, np.random.default_rng(0)
    )


def _footage(args: argparse.Namespace) -> list[films.Film]:
    """The films that are given, or else rendered ones."""
    for name, least in (
        ("threads", 1),
        ("rounds", 1),
        ("frames", 3),
        ("size", 64),
        ("fps", 1),
        ("frame_rate", 1),
    ):
        if (number := getattr(args, name)) is not None and number < least:
            raise UsageError(
                f"--{name.replace('_', '-')} must be {least} or more, got {number}"
            )
    if args.frame_rate and not args.data:
        raise UsageError("--frame-rate is of the folders in --data, got none of them")
    shooting = films.Shooting(args.size, args.fps, args.frames)
    given = args.data or films.rendered(
        args.films, args.seeds, shooting, args.assets, _film_bar
    )
    if args.frame_rate:
        footage = [
            film
            for folder in given
            for film in films.read_views(folder, args.frame_rate)
        ]
    else:
        footage = [films.read_film(folder) for folder in given]
    rates = sorted({round(film.fps, 2) for film in footage})
    if len(rates) > 1:
        raise UsageError(
            f"--data wants films of one frame rate, got {', '.join(f'{rate:g}' for rate in rates)} fps"
        )
    if not any(film.ids for film in footage):
        raise UsageError(
            "want films with somebody in them, got none: take other --data or --seeds"
        )
    return footage


def _stream_conditions(
    footage: Sequence[films.Film], cascade: Cascade, args: argparse.Namespace
) -> dict[str, str]:
    manifest = cascade.manifest
    return {
        "frames": f"{sum(len(film.frames) for film in footage)} at {footage[0].fps:g} fps",
        "weights": f"{manifest.version} sha256:{manifest.weights_sha256[:12]}",
        "onnxruntime": onnxruntime.__version__,
        "bootstrap rounds": str(args.rounds),
    }


def _stream_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("posecascade eval stream", description=run.__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        default=(),
        metavar="FOLDER",
        help="films: labelled folders whose pictures have `time_s` and whose people have `id`; left "
        "out: rendered people of the split `dev`",
    )
    parser.add_argument(
        "--frame-rate",
        type=float,
        metavar="N",
        help="with --data: each camera of a folder is a film, its frames' numbers go up by N a second",
    )
    parser.add_argument(
        "--films",
        type=Path,
        default=Path("out/films"),
        metavar="FOLDER",
        help="where rendered films are kept; those that are there are not rendered again",
    )
    parser.add_argument(
        "--seeds",
        type=int,
        nargs="+",
        default=films.SEEDS,
        metavar="N",
        help="of the rendered films",
    )
    parser.add_argument(
        "--size", type=int, default=films.USUAL.size_px, help="pixels a side"
    )
    parser.add_argument("--fps", type=float, default=films.USUAL.fps)
    parser.add_argument(
        "--frames", type=int, default=films.USUAL.frames, help="of each film"
    )
    parser.add_argument(
        "--assets",
        type=Path,
        metavar="FOLDER",
        help="the renderer's; default: beside the checkout",
    )
    add_cascade(parser)
    parser.add_argument(
        "--quality",
        nargs="+",
        choices=list(Quality),
        default=[Quality.BALANCED],
        metavar="NAME",
        help=f"of {', '.join(Quality)} (default {Quality.BALANCED})",
    )
    parser.add_argument("--peers", type=Path, default=PEERS, metavar="FOLDER")
    parser.add_argument(
        "--peer", nargs="+", default=(), metavar="NAME", help="only these of the folder"
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--reuse",
        action="store_true",
        help="instead: what reuse of deep looks saves and costs, idea by idea, without smoothing",
    )
    instead.add_argument(
        "--default",
        action="store_true",
        help="instead: what ships beside everybody to one stage, without smoothing",
    )
    parser.add_argument(
        "--clips",
        type=Path,
        nargs="+",
        default=(),
        metavar="VIDEO",
        help="with --reuse, beside the films: videos without truth",
    )
    parser.add_argument(
        "--target",
        type=float,
        metavar="MM",
        help="with --reuse: `reuse_target_mm` (default: calibrated)",
    )
    parser.add_argument(
        "--rounds", type=int, default=1000, help="of the bootstrap (default 1000)"
    )
    parser.add_argument("--out", type=Path, default=Path("out/eval"), metavar="FOLDER")
    return parser


def _film_bar(seeds: Sequence[int]) -> Iterable[int]:
    bar: Iterable[int] = tqdm(
        seeds, desc="rendering", unit="film", leave=False, disable=None
    )
    return bar
