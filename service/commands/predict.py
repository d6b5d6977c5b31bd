"""`posecascade predict`: pictures, folders and videos from the disk, without a server."""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import cv2
from tqdm import tqdm

from posecascade.models.arrays import Image
from posecascade.models.cascade.cascade import Cascade
from posecascade.models.drawing import draw
from posecascade.models.errors import ModelError
from posecascade.models.manifest import WEIGHTS
from posecascade.models.runners import RUNTIMES
from posecascade.service.commands.file_predictor import Answer, FilePredictor
from posecascade.service.commands.formats import FORMATS
from posecascade.service.commands.sources import Source, sources_of
from posecascade.service.commands.summary import VideoSummary, picture_lines
from posecascade.service.errors import BadParameter, PoseCascadeError
from posecascade.service.http.parameters import (
    Parameters,
    parse_options,
    setting_help,
)
from posecascade.service.media.video import Video, VideoFile

Load: TypeAlias = Callable[..., Cascade]
"""Takes what `Cascade.load` takes."""
_DEFAULT_FORMAT: Final = "json"


def add_to(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="picture, video, or folder of them",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="write the results of each input here",
    )
    parser.add_argument(
        "--draw",
        action="store_true",
        help="draw them too: skeletons over the picture, 3D beside it",
    )
    parser.add_argument(
        "--format",
        choices=tuple(FORMATS),
        help=f"of the results (default {_DEFAULT_FORMAT}); without "
        "--out they go to standard output, instead of tables",
    )
    add_cascade_to(parser)
    settings = parser.add_argument_group("settings, as in POST /v1/poses")
    for name in Parameters.model_fields:
        settings.add_argument(
            "--" + name.replace("_", "-"),
            dest=name,
            metavar="VALUE",
            help=setting_help(name).replace("%", "%%"),
        )


def add_cascade_to(parser: argparse.ArgumentParser) -> None:
    """Which weights, and what runs them."""
    parser.add_argument(
        "--weights",
        type=Path,
        default=WEIGHTS,
        metavar="FOLDER",
        help="default: those that ship",
    )
    parser.add_argument(
        "--runtime", choices=RUNTIMES, default=RUNTIMES[0], help="default: %(default)s"
    )
    parser.add_argument(
        "--threads",
        type=int,
        choices=range(1, 65),
        default=2,
        metavar="N",
        help="of one stage (default: %(default)s)",
    )


def run(args: argparse.Namespace, load: Load) -> int:
    """0: all inputs answered; 1: some failed, each named on standard error; 2: nothing could be tried."""
    if args.draw and args.out is None:
        return _refused("--draw needs --out FOLDER for the pictures that it makes")
    try:
        cascade = load(args.weights, runtime=args.runtime, threads=args.threads)
        requested = parse_options(
            {name: getattr(args, name) for name in Parameters.model_fields},
            cascade.policies,
        )
        if args.out is not None:
            args.out.mkdir(parents=True, exist_ok=True)
    except BadParameter as error:
        args.usage_error(str(error))
    except (ModelError, OSError) as error:
        return _refused(str(error))
    sources = sources_of(args.paths)
    with closing(cascade), tqdm(total=len(sources), unit="frame", disable=None) as bar:
        job = _Job(
            FilePredictor(cascade, requested), args.out, args.draw, args.format, bar
        )
        failed = [job.attempt(source) for source in sources].count(False)
    if failed:
        print(f"{failed} of {len(sources)} inputs failed", file=sys.stderr)
    return 1 if failed else 0


def _refused(why: str) -> int:
    print(f"posecascade predict: {why}", file=sys.stderr)
    return 2


@dataclass(frozen=True, slots=True)
class _Job:
    """What is to be made of every input."""

    predictor: FilePredictor
    out: Path | None
    draw: bool
    format: str | None
    bar: "tqdm[None]"

    def attempt(self, source: Source) -> bool:
        """Whether the input could be answered; why not goes to standard error."""
        try:
            self._answer(source)
        except BrokenPipeError:  # nobody reads any more: no fault of this input
            raise
        except (OSError, PoseCascadeError, ModelError) as error:
            self._print([f"{source.path}: {error}"], sys.stderr)
            return False
        return True

    def _answer(self, source: Source) -> None:
        if not source.is_video:
            self._deliver(
                source, self._drawn_picture(source, self.predictor.picture(source.path))
            )
            return
        with Video(source.path) as video:
            self.bar.total += max(video.frame_count - 1, 0)
            self._deliver(
                source,
                self._drawn_video(
                    source, video.fps, self.predictor.video(source.path, video)
                ),
            )

    def _deliver(self, source: Source, answers: Iterator[Answer]) -> None:
        format = self.format or _DEFAULT_FORMAT
        if self.out is not None:
            _write_whole(
                self.out / f"{source.name}.{format}",
                FORMATS[format](self._told(source, answers)),
            )
        elif self.format is not None:
            sys.stdout.writelines(FORMATS[format](self._counted(answers)))
        else:
            for _ in self._told(source, answers):
                pass

    def _counted(self, answers: Iterator[Answer]) -> Iterator[Answer]:
        for answer in answers:
            yield answer
            self.bar.update()

    def _told(self, source: Source, answers: Iterator[Answer]) -> Iterator[Answer]:
        """The answers, with a table of them on standard output at the end."""
        summary = VideoSummary(str(source.path))
        for answer in self._counted(answers):
            yield answer
            summary.add(answer)
            if not source.is_video:
                self._print(picture_lines(answer), sys.stdout)
        if source.is_video:
            self._print(summary.lines(), sys.stdout)

    def _drawn_picture(
        self, source: Source, answers: Iterator[Answer]
    ) -> Iterator[Answer]:
        for answer in answers:
            if self.draw and self.out is not None:
                _save(
                    self.out / f"{source.name}_poses.jpg",
                    draw(answer.image_bgr, answer.frame),
                )
            yield answer

    def _drawn_video(
        self, source: Source, fps: float, answers: Iterator[Answer]
    ) -> Iterator[Answer]:
        if not (self.draw and self.out is not None):
            yield from answers
            return
        with VideoFile(self.out / f"{source.name}_poses.mp4", fps) as file:
            for answer in answers:
                file.write(draw(answer.image_bgr, answer.frame))
                yield answer

    def _print(self, lines: Iterable[str], file: object) -> None:
        """Without breaking the progress bar."""
        for line in lines:
            self.bar.write(line, file=file)


def _save(path: Path, image_bgr: Image) -> None:
    if not cv2.imwrite(str(path), image_bgr):
        raise OSError(f"cannot write {path}")


def _write_whole(path: Path, pieces: Iterable[str]) -> None:
    """A file that exists is complete."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.writelines(pieces)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
