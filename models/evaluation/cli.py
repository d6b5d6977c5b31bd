"""`posecascade eval`: accuracy on labelled folders beside the peers; `eval speed`, `record`, `stream`, `tiles`,
`ablation`, `tradeoff`."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import onnxruntime
from tqdm import tqdm

from models.arrays import Image
from models.cascade import Cascade
from models.datasets.errors import DatasetError
from models.datasets.labelled import LabelledFolder, LabelledFrame, read_folder
from models.errors import ManifestError, RunnerError
from models.evaluation import recorded, speed, tiles
from models.evaluation.answers import System
from models.evaluation.contact_sheet import save_contact_sheet, spread
from models.evaluation.dev_table import FolderRuns, pooled_comparisons, result_of, run_folder
from models.evaluation.figures import draws_of
from models.evaluation.origins import load_origin
from models.evaluation.peers import Skipped, load_peers
from models.evaluation.people_sheet import save_people_sheets, sightings
from models.evaluation.plots import save_error_against_cost, save_frontier, save_uncertainty
from models.evaluation.sigma import told
from models.evaluation.streams import default, films, reuse, reuse_table, run, tables
from models.evaluation.streams.shots import shots_of
from models.evaluation.systems import routed
from models.evaluation.tables import Report, as_json, as_markdown
from models.evaluation.tradeoff import cli as tradeoff
from models.manifest import WEIGHTS
from models.options import Quality
from models.records import Stage

PEERS: Final = Path("../shared/peers")
SPEED_PEER: Final = "yolox_blazepose_full"
"""A detector with BlazePose full behind it: what a team would build today."""
PHOTO: Final = Path("docs/demo/skate_bowl.jpg")


class UsageError(ValueError):
    """The command line asks for what cannot be; one line."""


Load = Callable[..., Cascade]
MakeFollower = Callable[[], run.Follower]


def main(argv: Sequence[str], *, load: Load = Cascade.load, follower: MakeFollower | None = None) -> int:
    """Runs one evaluation.

    Args:
        argv: without the program's name and `eval`.
        load: makes the cascade of a weights folder, with so many `threads`.
        follower: makes the memory of a new stream, for `eval stream`. It is the service's, which this package lies
            below and may not import: the service hands it in.

    Returns:
        0; 2 when it could not begin, with one line on standard error that says why.
    """
    given = list(argv)
    commands = {"speed": _speed, "record": _record, "ablation": _ablation, "stream": partial(_stream, follower),
                "tradeoff": _tradeoff, "tiles": _tiles}
    command = commands.get(given[0]) if given else None
    chosen, rest = (command, given[1:]) if command else (_accuracy, given)
    try:
        return chosen(rest, load)
    except (UsageError, DatasetError, ManifestError, RunnerError, OSError) as wrong:
        print(f"posecascade eval: {wrong}", file=sys.stderr)
        return 2


def _accuracy(argv: Sequence[str], load: Load) -> int:
    args = _accuracy_parser().parse_args(argv)
    folders = _folders(args)
    cascade = None if args.peers_only else load(args.weights, threads=args.threads)
    origins = _origins(args, cascade)
    out = _out_folder(args.out)
    peers, skipped = load_peers(args.peers, args.peer, threads=args.threads,
                                sample=folders[0].frames[0].image_bgr())
    for skip in skipped:
        print(f"skipped {skip.name}: {skip.reason}", file=sys.stderr)
    others: list[System] = [*origins, *peers]
    if cascade is None and not others:
        raise UsageError("--peers-only, and no peer runs here")
    found = [run_folder(folder, cascade, others, seeds=args.seeds, progress=partial(_bar, folder.name))
             for folder in folders]
    report = _report(found, skipped, args, cascade)
    (out / "results.json").write_text(json.dumps(as_json(report), indent=1) + "\n")
    (out / "results.md").write_text(as_markdown(report))
    _draw(out, found, report, cascade, args.sheet)
    if args.worst > 0 and cascade is not None:
        _draw_people(out, found, args.worst)
    print(as_markdown(report))
    print(f"written to {out}: {', '.join(sorted(path.name for path in out.iterdir()))}", file=sys.stderr)
    return 0


def _accuracy_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("posecascade eval", description=__doc__)
    _add_data(parser)
    parser.add_argument("--peers", type=Path, default=PEERS, metavar="FOLDER",
                        help="other people's pipelines (their weights: POSE_WEIGHTS); left out where absent")
    parser.add_argument("--peer", nargs="+", default=(), metavar="NAME", help="only these of the folder")
    parser.add_argument("--peers-only", action="store_true", help="without our own cascade")
    parser.add_argument("--origin", action="append", default=[], metavar="STAGE=ONNX",
                        help="the published network that `refine` or `expert` came from, to stand beside it in 2D")
    parser.add_argument("--out", type=Path, default=Path("out/eval"), metavar="FOLDER")
    parser.add_argument("--seeds", type=int, default=3, help="of routing by chance (default 3)")
    parser.add_argument("--rounds", type=int, default=1000, help="of the bootstrap (default 1000)")
    parser.add_argument("--sheet", type=int, default=8, metavar="N", help="frames on each contact sheet (default 8)")
    parser.add_argument("--worst", type=int, default=0, metavar="N",
                        help="people on a sheet of the worst and on one of people by chance, of each stage (default 0)")
    return parser


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="FOLDER",
                        help="labelled folders, each with a labels.json")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th frame of a folder")
    _add_cascade(parser)


def _add_cascade(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--weights", type=Path, default=WEIGHTS, metavar="FOLDER", help="default: those that ship")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="of each network's run (default 2)")


def _folders(args: argparse.Namespace) -> list[LabelledFolder]:
    for name in ("every", "threads"):
        if getattr(args, name) < 1:
            raise UsageError(f"--{name} must be 1 or more, got {getattr(args, name)}")
    folders = [read_folder(folder) for folder in args.data]
    if len({folder.name for folder in folders}) < len(folders):
        raise UsageError(f"--data names must differ, got {', '.join(folder.name for folder in folders)}")
    return [replace(folder, frames=folder.frames[:: args.every]) for folder in folders]


def _out_folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _origins(args: argparse.Namespace, cascade: Cascade | None) -> list[System]:
    origins: list[System] = []
    for given in args.origin:
        stage, _, path = given.partition("=")
        if stage not in (Stage.REFINE, Stage.EXPERT) or not path or cascade is None:
            raise UsageError(f"--origin wants refine=FILE.onnx or expert=FILE.onnx, beside our cascade; got {given!r}")
        origins.append(load_origin(Stage(stage), Path(path), cascade, threads=args.threads))
    return origins


def _report(found: Sequence[FolderRuns], skipped: Sequence[Skipped], args: argparse.Namespace,
            cascade: Cascade | None) -> Report:
    in_3d = set().union(*(one.in_3d for one in found))
    results = {one.folder.name: result_of(one, in_3d, rounds=args.rounds) for one in found}
    comparisons = {name: result.comparisons for name, result in results.items() if result.comparisons}
    photographs = [one for one in found if one.has_cascade and not one.folder.rendered]
    if len(photographs) > 1:
        comparisons["all photographs"] = tuple(pooled_comparisons(photographs, rounds=args.rounds))
    conditions = _machine() | {"threads": str(args.threads), "bootstrap rounds": str(args.rounds),
                               "seeds of chance": str(args.seeds), "every n-th frame": str(args.every)}
    if cascade is not None:
        manifest = cascade.manifest
        conditions |= {"weights": f"{manifest.version} sha256:{manifest.weights_sha256[:12]}",
                       "calibration": manifest.calibration.fitted_on}
    return Report(tuple(row for result in results.values() for row in result.rows), tuple(skipped), conditions,
                  comparisons,
                  {name: result.fairness for name, result in results.items() if result.fairness is not None})


def _machine() -> dict[str, str]:
    model = next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
                 platform.processor())
    return {"machine": f"{model or platform.machine()}, {os.cpu_count()} cores",
            "load": f"{os.getloadavg()[0]:.1f}", "onnxruntime": onnxruntime.__version__, "opencv": cv2.__version__}


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:  # not Linux
        return []


def _draw(out: Path, found: Sequence[FolderRuns], report: Report, cascade: Cascade | None, sheet: int) -> None:
    save_error_against_cost(out / "error_against_cost.png", report.rows)
    for one in found:
        name = one.folder.name
        save_frontier(out / f"frontier_{name}.png", [row for row in report.rows if row.folder == name])
    people = {f"{one.folder.name}: {run.name}": told(run.scores) for one in found for run in one.runs}
    save_uncertainty(out / "uncertainty.png", people)
    if cascade is None or sheet < 1:
        return
    system, _ = routed(cascade)
    for one in found:
        save_contact_sheet(out / f"sheet_{one.folder.name}.jpg", spread(one.folder.frames, sheet),
                           lambda frame: system.frame(frame.image_bgr(), frame.camera))


def _draw_people(out: Path, found: Sequence[FolderRuns], count: int) -> None:
    """Of each stage for all, over all folders together."""
    for number, stage in enumerate(Stage):
        people = [person for one in found for person in sightings(one.folder, one.runs[number])]
        save_people_sheets(out, stage.value, people, count)


def _bar(name: str, frames: Sequence[LabelledFrame]) -> Iterable[LabelledFrame]:
    bar: Iterable[LabelledFrame] = tqdm(frames, desc=name, unit="frame", leave=False, disable=None)
    return bar


def _film_bar(seeds: Sequence[int]) -> Iterable[int]:
    bar: Iterable[int] = tqdm(seeds, desc="rendering", unit="film", leave=False, disable=None)
    return bar


def _record(argv: Sequence[str], load: Load) -> int:
    parser = argparse.ArgumentParser("posecascade eval record", description=recorded.__doc__)
    _add_data(parser)
    parser.add_argument("--out", type=Path, default=Path("out/routing_table.npz"), metavar="FILE.npz")
    args = parser.parse_args(argv)
    folders = _folders(args)
    cascade = load(args.weights, threads=args.threads)
    _out_folder(args.out.parent)
    try:
        columns = recorded.record(cascade, folders, progress=partial(_bar, "recording"))
    except ValueError as nobody:
        raise UsageError(nobody) from nobody
    columns.save(args.out)
    matched = int((columns.person >= 0).sum())
    print(f"{args.out}: {len(columns.person)} detections, {matched} of them on labelled people")
    return 0


def _ablation(argv: Sequence[str], load: Load) -> int:
    from models.evaluation import ablation  # needs torch, which the other commands do without

    parser = argparse.ArgumentParser("posecascade eval ablation", description=ablation.__doc__)
    _add_data(parser)
    parser.add_argument("--rounds", type=int, default=1000, help="of the bootstrap (default 1000)")
    args = parser.parse_args(argv)
    folders = _folders(args)
    cascade = load(args.weights, threads=args.threads)
    try:
        for folder in folders:
            lines = ablation.lines_of(cascade, args.weights, folder, rounds=args.rounds,
                                      progress=partial(_bar, folder.name))
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
    parser = argparse.ArgumentParser("posecascade eval tiles", description=tiles.__doc__)
    _add_data(parser)
    args = parser.parse_args(argv)
    folders = _folders(args)
    cascade = load(args.weights, threads=args.threads)
    for folder in folders:
        sums = tiles.tallies(cascade, folder, progress=partial(_bar, folder.name))
        print(tiles.as_markdown(folder.name, sums, cascade.manifest.stages[Stage.COARSE].cost_ms), flush=True)
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
    peers, skipped = load_peers(args.peers, args.peer, threads=args.threads, sample=photo)
    contestants = speed.qualities(cascade) | {peer.name: _counted(peer) for peer in peers}
    timings = speed.measure(contestants, {count: speed.crowd(cut, count) for count in args.people}, args.repeats)
    starts = [start(args.weights, args.threads, args.starts)
              for start in (speed.cascade_start, speed.service_start)] if args.starts else []
    report = speed.SpeedReport(speed.weights_mb(cascade.manifest), tuple(starts), tuple(timings), tuple(skipped),
                               _machine() | {"threads": str(args.threads), "photo": args.photo.name})
    _out_folder(args.out)
    (args.out / "speed.json").write_text(json.dumps(asdict(report), indent=1) + "\n")
    (args.out / "speed.md").write_text(speed.as_markdown(report))
    print(speed.as_markdown(report))
    return 0


def _speed_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("posecascade eval speed", description=speed.__doc__)
    _add_cascade(parser)
    parser.add_argument("--photo", type=Path, default=PHOTO, metavar="FILE", help="its largest person is copied")
    parser.add_argument("--people", type=int, nargs="+", default=speed.PEOPLE, metavar="N")
    parser.add_argument("--repeats", type=int, default=25, help="timed frames of each kind (default 25)")
    parser.add_argument("--starts", type=int, default=3, help="cold starts of each kind; 0: none (default 3)")
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


def _stream(follower: MakeFollower | None, argv: Sequence[str], load: Load) -> int:
    args = _stream_parser().parse_args(argv)
    if args.reuse:
        return _reuse(args, load)
    if args.default:
        return _default(args, load)
    if follower is None:
        raise UsageError("stream wants the service's smoothing, got none: call it as `posecascade eval stream`")
    footage = _footage(args)
    cascade = load(args.weights, threads=args.threads)
    peers, skipped = load_peers(args.peers, args.peer, threads=args.threads, sample=footage[0].frames[0].image_bgr())
    for skip in skipped:
        print(f"skipped {skip.name}: {skip.reason}", file=sys.stderr)
    qualities = [Quality(quality) for quality in args.quality]
    runs = [run.run_film(film, cascade, qualities, follower, peers, partial(_bar, film.name)) for film in footage]
    draws = draws_of(sum(len(film.ids) for film in footage), args.rounds, np.random.default_rng(0))
    report = tables.stream_report(runs, [run.names(quality) for quality in qualities],
                                  _stream_conditions(footage, cascade, args), skipped, draws)
    _out_folder(args.out)
    (args.out / "stream.json").write_text(json.dumps(tables.as_json(report), indent=1) + "\n")
    (args.out / "stream.md").write_text(tables.as_markdown(report))
    print(tables.as_markdown(report))
    return 0


def _reuse(args: argparse.Namespace, load: Load) -> int:
    footage = _footage(args)
    cascade = load(args.weights, threads=args.threads)
    draws = draws_of(sum(len(film.ids) for film in footage), args.rounds, np.random.default_rng(0))
    reports = []
    for quality in map(Quality, args.quality):
        said = reuse.run_reuse(cascade, [reuse_table.shown(film) for film in footage], quality, args.target)
        reports.append(reuse_table.reuse_report(f"{quality}, films with truth", said, cascade, footage, draws))
        for clip in args.clips:
            said = reuse.run_reuse(cascade, [partial(shots_of, clip)], quality, args.target)
            reports.append(reuse_table.reuse_report(f"{quality}, {clip.name}", said, cascade, None, draws))
    conditions = _stream_conditions(footage, cascade, args)
    _out_folder(args.out)
    (args.out / "reuse.json").write_text(json.dumps(reuse_table.as_json(reports, conditions), indent=1) + "\n")
    (args.out / "reuse.md").write_text(reuse_table.as_markdown(reports, conditions))
    print(reuse_table.as_markdown(reports, conditions))
    return 0


def _default(args: argparse.Namespace, load: Load) -> int:
    footage = _footage(args)
    cascade = load(args.weights, threads=args.threads)
    draws = draws_of(sum(len(film.ids) for film in footage), args.rounds, np.random.default_rng(0))
    rows = default.rows_of(default.run_default(cascade, footage), cascade, footage, draws)
    conditions = _stream_conditions(footage, cascade, args)
    _out_folder(args.out)
    (args.out / "default.json").write_text(json.dumps(default.as_json(rows, conditions), indent=1) + "\n")
    (args.out / "default.md").write_text(default.as_markdown(rows, conditions))
    print(default.as_markdown(rows, conditions))
    return 0


def _footage(args: argparse.Namespace) -> list[films.Film]:
    """The films that are given, or else rendered ones."""
    for name, least in (("threads", 1), ("rounds", 1), ("frames", 3), ("size", 64), ("fps", 1), ("frame_rate", 1)):
        if (given := getattr(args, name)) is not None and given < least:
            raise UsageError(f"--{name.replace('_', '-')} must be {least} or more, got {given}")
    shooting = films.Shooting(args.size, args.fps, args.frames)
    folders = args.data or films.rendered(args.films, args.seeds, shooting, args.assets, _film_bar)
    if args.data and args.frame_rate:
        footage = [film for folder in folders for film in films.read_views(folder, args.frame_rate)]
    else:
        footage = [films.read_film(folder) for folder in folders]
    rates = sorted({round(film.fps, 2) for film in footage})
    if len(rates) > 1:
        raise UsageError(f"--data wants films of one frame rate, got {', '.join(f'{rate:g}' for rate in rates)} fps")
    if not any(film.ids for film in footage):
        raise UsageError("want films with somebody in them, got none: take other --data or --seeds")
    return footage


def _stream_conditions(footage: Sequence[films.Film], cascade: Cascade, args: argparse.Namespace) -> dict[str, str]:
    manifest = cascade.manifest
    return {"frames": f"{sum(len(film.frames) for film in footage)} at {footage[0].fps:g} fps",
            "weights": f"{manifest.version} sha256:{manifest.weights_sha256[:12]}",
            "onnxruntime": onnxruntime.__version__, "bootstrap rounds": str(args.rounds)}


def _stream_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("posecascade eval stream", description=run.__doc__)
    parser.add_argument("--data", type=Path, nargs="+", default=(), metavar="FOLDER",
                        help="films: labelled folders whose pictures have `time_s` and whose people have `id`; left "
                             "out: rendered people of the split `dev`")
    parser.add_argument("--frame-rate", type=float, metavar="N",
                        help="with --data: each camera of a folder is a film, its frames' numbers go up by N a second")
    parser.add_argument("--films", type=Path, default=Path("out/films"), metavar="FOLDER",
                        help="where rendered films are kept; those that are there are not rendered again")
    parser.add_argument("--seeds", type=int, nargs="+", default=films.SEEDS, metavar="N", help="of the rendered films")
    parser.add_argument("--size", type=int, default=films.USUAL.size_px, help="pixels a side")
    parser.add_argument("--fps", type=float, default=films.USUAL.fps)
    parser.add_argument("--frames", type=int, default=films.USUAL.frames, help="of each film")
    parser.add_argument("--assets", type=Path, metavar="FOLDER", help="the renderer's; default: beside the checkout")
    _add_cascade(parser)
    parser.add_argument("--quality", nargs="+", choices=list(Quality), default=[Quality.BALANCED], metavar="NAME",
                        help=f"of {', '.join(Quality)} (default {Quality.BALANCED})")
    parser.add_argument("--peers", type=Path, default=PEERS, metavar="FOLDER")
    parser.add_argument("--peer", nargs="+", default=(), metavar="NAME", help="only these of the folder")
    parser.add_argument("--reuse", action="store_true",
                        help="instead: what reuse of deep looks saves and costs, idea by idea, without smoothing")
    parser.add_argument("--default", action="store_true",
                        help="instead: what ships beside everybody to one stage, without smoothing")
    parser.add_argument("--clips", type=Path, nargs="+", default=(), metavar="VIDEO",
                        help="with --reuse, beside the films: videos without truth")
    parser.add_argument("--target", type=float, metavar="MM",
                        help="with --reuse: `reuse_target_mm` (default: calibrated)")
    parser.add_argument("--rounds", type=int, default=1000, help="of the bootstrap (default 1000)")
    parser.add_argument("--out", type=Path, default=Path("out/eval"), metavar="FOLDER")
    return parser
