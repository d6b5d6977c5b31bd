"""`posecascade eval`: accuracy on labelled folders beside the peers; `eval speed`, `record`, `stream`, `tiles`,
`ablation`, `tradeoff`."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import onnxruntime

from posecascade.models.arrays import Image
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.errors import ManifestError, RunnerError
from posecascade.models.lab.datasets.errors import DatasetError
from posecascade.models.lab.evaluation import speed, tiles
from posecascade.models.lab.evaluation.command_line import (
    PEERS,
    Load,
    UsageError,
    add_cascade,
    add_data,
    bar,
    folders,
    out_folder,
)
from posecascade.models.lab.evaluation.contact_sheet import save_contact_sheet, spread
from posecascade.models.lab.evaluation.dev_table import (
    FolderRuns,
    pooled_comparisons,
    result_of,
    run_folder,
)
from posecascade.models.lab.evaluation.origins import load_origin
from posecascade.models.lab.evaluation.peers import Skipped, load_peers
from posecascade.models.lab.evaluation.people_sheet import save_people_sheets, sightings
from posecascade.models.lab.evaluation.plots import (
    save_error_against_cost,
    save_frontier,
    save_uncertainty,
)
from posecascade.models.lab.evaluation.sigma import people_with_sigma
from posecascade.models.lab.evaluation.streams.command import stream
from posecascade.models.lab.evaluation.tables import Report, as_json, as_markdown
from posecascade.models.lab.evaluation.tradeoff import command as tradeoff
from posecascade.models.lab.scoring import recorded
from posecascade.models.lab.scoring.answers import System
from posecascade.models.lab.scoring.systems import routed
from posecascade.models.records import Stage

SPEED_PEER: Final = "yolox_blazepose_full"
"""A detector with BlazePose full behind it: what a team would build today."""
PHOTO: Final = Path("docs/demo/skate_bowl.jpg")


def main(argv: Sequence[str], *, load: Load = Cascade.load) -> int:
    """Runs one evaluation.

    Args:
        argv: without the program's name and `eval`.
        load: makes the cascade of a weights folder, with so many `threads`.

    Returns:
        0; 2 when it could not begin, with one line on standard error that says why.
    """
    given = list(argv)
    commands: dict[str, Callable[[Sequence[str], Load], int]] = {
        "speed": _speed,
        "record": _record,
        "ablation": _ablation,
        "stream": stream,
        "tradeoff": _tradeoff,
        "tiles": _tiles,
    }
    command = commands.get(given[0]) if given else None
    try:
        return command(given[1:], load) if command else _accuracy(given, load)
    except (UsageError, DatasetError, ManifestError, RunnerError, OSError) as wrong:
        print(f"posecascade eval: {wrong}", file=sys.stderr)
        return 2


def _accuracy(argv: Sequence[str], load: Load) -> int:
    args = _accuracy_parser().parse_args(argv)
    requested = folders(args)
    cascade = None if args.peers_only else load(args.weights, threads=args.threads)
    origins = _origins(args, cascade)
    out = out_folder(args.out)
    peers, skipped = load_peers(
        args.peers,
        args.peer,
        threads=args.threads,
        sample=requested[0].frames[0].image_bgr(),
    )
    for skip in skipped:
        print(f"skipped {skip.name}: {skip.reason}", file=sys.stderr)
    others: list[System] = [*origins, *peers]
    if cascade is None and not others:
        raise UsageError("--peers-only, and no peer runs here")
    found = [
        run_folder(
            folder,
            cascade,
            others,
            seeds=args.seeds,
            progress=partial(bar, folder.name),
        )
        for folder in requested
    ]
    report = _report(found, skipped, args, cascade)
    (out / "results.json").write_text(json.dumps(as_json(report), indent=1) + "\n")
    (out / "results.md").write_text(as_markdown(report))
    _draw(out, found, report, cascade, args.sheet)
    if args.worst > 0 and cascade is not None:
        _draw_people(out, found, args.worst)
    print(as_markdown(report))
    print(
        f"written to {out}: {', '.join(sorted(path.name for path in out.iterdir()))}",
        file=sys.stderr,
    )
    return 0


def _accuracy_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("posecascade eval", description=__doc__)
    add_data(parser)
    parser.add_argument(
        "--peers",
        type=Path,
        default=PEERS,
        metavar="FOLDER",
        help="other people's pipelines (their weights: POSE_WEIGHTS); left out where absent",
    )
    parser.add_argument(
        "--peer", nargs="+", default=(), metavar="NAME", help="only these of the folder"
    )
    parser.add_argument(
        "--peers-only", action="store_true", help="without our own cascade"
    )
    parser.add_argument(
        "--origin",
        action="append",
        default=[],
        metavar="STAGE=ONNX",
        help="the published network that `refine` or `expert` came from, to stand beside it in 2D",
    )
    parser.add_argument("--out", type=Path, default=Path("out/eval"), metavar="FOLDER")
    parser.add_argument(
        "--seeds", type=int, default=3, help="of routing by chance (default 3)"
    )
    parser.add_argument(
        "--rounds", type=int, default=1000, help="of the bootstrap (default 1000)"
    )
    parser.add_argument(
        "--sheet",
        type=int,
        default=8,
        metavar="N",
        help="frames on each contact sheet (default 8)",
    )
    parser.add_argument(
        "--worst",
        type=int,
        default=0,
        metavar="N",
        help="people on a sheet of the worst and on one of people by chance, of each stage (default 0)",
    )
    return parser


def _origins(args: argparse.Namespace, cascade: Cascade | None) -> list[System]:
    origins: list[System] = []
    for given in args.origin:
        stage, _, path = given.partition("=")
        if stage not in (Stage.REFINE, Stage.EXPERT) or not path or cascade is None:
            raise UsageError(
                f"--origin wants refine=FILE.onnx or expert=FILE.onnx, beside our cascade; got {given!r}"
            )
        origins.append(
            load_origin(Stage(stage), Path(path), cascade, threads=args.threads)
        )
    return origins


def _report(
    found: Sequence[FolderRuns],
    skipped: Sequence[Skipped],
    args: argparse.Namespace,
    cascade: Cascade | None,
) -> Report:
    in_3d = set().union(*(one.in_3d for one in found))
    results = {
        one.folder.name: result_of(one, in_3d, rounds=args.rounds) for one in found
    }
    comparisons = {
        name: result.comparisons
        for name, result in results.items()
        if result.comparisons
    }
    photographs = [one for one in found if one.has_cascade and not one.folder.rendered]
    if len(photographs) > 1:
        comparisons["all photographs"] = tuple(
            pooled_comparisons(photographs, rounds=args.rounds)
        )
    conditions = _machine() | {
        "threads": str(args.threads),
        "bootstrap rounds": str(args.rounds),
        "seeds of chance": str(args.seeds),
        "every n-th frame": str(args.every),
    }
    if cascade is not None:
        manifest = cascade.manifest
        conditions |= {
            "weights": f"{manifest.version} sha256:{manifest.weights_sha256[:12]}",
            "calibration": manifest.calibration.fitted_on,
        }
    return Report(
        tuple(row for result in results.values() for row in result.rows),
        tuple(skipped),
        conditions,
        comparisons,
        {
            name: result.fairness
            for name, result in results.items()
            if result.fairness is not None
        },
    )


def _machine() -> dict[str, str]:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in _lines("/proc/cpuinfo")
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "machine": f"{model or platform.machine()}, {os.cpu_count()} cores",
        "load": f"{os.getloadavg()[0]:.1f}",
        "onnxruntime": onnxruntime.__version__,
        "opencv": cv2.__version__,
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:  # not Linux
        return []


def _draw(
    out: Path,
    found: Sequence[FolderRuns],
    report: Report,
    cascade: Cascade | None,
    sheet: int,
) -> None:
    save_error_against_cost(out / "error_against_cost.png", report.rows)
    for one in found:
        name = one.folder.name
        save_frontier(
            out / f"frontier_{name}.png",
            [row for row in report.rows if row.folder == name],
        )
    people = {
        f"{one.folder.name}: {run.name}": people_with_sigma(run.scores)
        for one in found
        for run in one.runs
    }
    save_uncertainty(out / "uncertainty.png", people)
    if cascade is None or sheet < 1:
        return
    system, _ = routed(cascade)
    for one in found:
        save_contact_sheet(
            out / f"sheet_{one.folder.name}.jpg",
            spread(one.folder.frames, sheet),
            lambda frame: system.frame(frame.image_bgr(), frame.camera),
        )


def _draw_people(out: Path, found: Sequence[FolderRuns], count: int) -> None:
    """Of each stage for all, over all folders together."""
    for number, stage in enumerate(Stage):
        people = [
            person
            for one in found
            for person in sightings(one.folder, one.runs[number])
        ]
        save_people_sheets(out, stage.value, people, count)


def _record(argv: Sequence[str], load: Load) -> int:
    parser = argparse.ArgumentParser(
        "posecascade eval record", description=recorded.__doc__
    )
    add_data(parser)
    parser.add_argument(
        "--out", type=Path, default=Path("out/routing_table.npz"), metavar="FILE.npz"
    )
    args = parser.parse_args(argv)
    requested = folders(args)
    cascade = load(args.weights, threads=args.threads)
    out_folder(args.out.parent)
    try:
        columns = recorded.record(
            cascade, requested, progress=partial(bar, "recording")
        )
    except ValueError as nobody:
        raise UsageError(nobody) from nobody
    columns.save(args.out)
    matched = int((columns.person >= 0).sum())
    print(
        f"{args.out}: {len(columns.person)} detections, {matched} of them on labelled people"
    )
    return 0


def _ablation(argv: Sequence[str], load: Load) -> int:
    from posecascade.models.lab.evaluation import (
        ablation,
    )  # needs torch, which the other commands do without

    parser = argparse.ArgumentParser(
        "posecascade eval ablation", description=ablation.__doc__
    )
    add_data(parser)
    parser.add_argument(
        "--rounds", type=int, default=1000, help="of the bootstrap (default 1000)"
    )
    args = parser.parse_args(argv)
    requested = folders(args)
    cascade = load(args.weights, threads=args.threads)
    try:
        for folder in requested:
            lines = ablation.lines_of(
                cascade,
                args.weights,
                folder,
                rounds=args.rounds,
                progress=partial(bar, folder.name),
            )
            print(ablation.as_markdown(folder.name, list(lines)), flush=True)
    except ValueError as wrong:
        raise UsageError(wrong) from wrong
    return 0


def _tradeoff(argv: Sequence[str], load: Load) -> int:
    del load  # it runs no network
    try:
        return tradeoff.run(argv)
    except ValueError as wrong:
        raise UsageError(wrong) from wrong


def _tiles(argv: Sequence[str], load: Load) -> int:
    parser = argparse.ArgumentParser(
        "posecascade eval tiles", description=tiles.__doc__
    )
    add_data(parser)
    args = parser.parse_args(argv)
    requested = folders(args)
    cascade = load(args.weights, threads=args.threads)
    for folder in requested:
        sums = tiles.tallies(cascade, folder, progress=partial(bar, folder.name))
        print(
            tiles.as_markdown(
                folder.name, sums, cascade.manifest.stages[Stage.COARSE].cost_ms
            ),
            flush=True,
        )
    return 0


def _speed(argv: Sequence[str], load: Load) -> int:
    args = _speed_parser().parse_args(argv)
    photo = _photo(args.photo)
    cascade = load(args.weights, threads=args.threads)
    cascade.warm_up()
    try:
        cut = speed.cut_person(photo, speed.largest_box(cascade, photo))
    except ValueError as nobody:
        raise UsageError(f"{args.photo}: {nobody}") from nobody
    peers, skipped = load_peers(
        args.peers, args.peer, threads=args.threads, sample=photo
    )
    contestants = speed.qualities(cascade) | {
        peer.name: _counted(peer) for peer in peers
    }
    timings = speed.measure(
        contestants,
        {count: speed.crowd(cut, count) for count in args.people},
        args.repeats,
    )
    starts = (
        [
            start(args.weights, args.threads, args.starts)
            for start in (speed.cascade_start, speed.service_start)
        ]
        if args.starts
        else []
    )
    report = speed.SpeedReport(
        speed.weights_mb(cascade.manifest),
        tuple(starts),
        tuple(timings),
        tuple(skipped),
        _machine() | {"threads": str(args.threads), "photo": args.photo.name},
    )
    out_folder(args.out)
    (args.out / "speed.json").write_text(json.dumps(asdict(report), indent=1) + "\n")
    (args.out / "speed.md").write_text(speed.as_markdown(report))
    print(speed.as_markdown(report))
    return 0


def _speed_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "posecascade eval speed", description=speed.__doc__
    )
    add_cascade(parser)
    parser.add_argument(
        "--photo",
        type=Path,
        default=PHOTO,
        metavar="FILE",
        help="its largest person is copied",
    )
    parser.add_argument(
        "--people", type=int, nargs="+", default=speed.PEOPLE, metavar="N"
    )
    parser.add_argument(
        "--repeats", type=int, default=25, help="timed frames of each kind (default 25)"
    )
    parser.add_argument(
        "--starts",
        type=int,
        default=3,
        help="cold starts of each kind; 0: none (default 3)",
    )
    parser.add_argument("--peers", type=Path, default=PEERS, metavar="FOLDER")
    parser.add_argument("--peer", nargs="+", default=(SPEED_PEER,), metavar="NAME")
    parser.add_argument("--out", type=Path, default=Path("out/eval"), metavar="FOLDER")
    return parser


def _photo(path: Path) -> Image:
    photo = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if photo is None:
        raise UsageError(f"{path}: not a readable picture")
    return np.asarray(photo, np.uint8)


def _counted(system: System) -> speed.Contestant:
    return lambda picture: len(system.people(picture, None))
