"""The page of a training run: curves of the losses, and what the trained stage sees in a few pictures.

`python -m posecascade.models.lab.training.page runs/coarse` draws the curves anew while the run goes on.
"""

import argparse
import html
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
from matplotlib.figure import Figure

from posecascade.models.arrays import Image

CURVES, EXAMPLES, PAGE = "curves.png", "examples.jpg", "log.html"


def write_page(folder: Path, examples: Image | None = None) -> Path:
    """Writes `log.html` to a stage's folder, from the `log.jsonl` of each phase below it; returns its path.

    Args:
        folder: such as runs/coarse.
        examples: pictures to show, [H, W, 3] blue-green-red; None keeps those of the last time.

    Raises:
        ValueError: no phase has logged anything yet.
    """
    phases = {
        path.parent.name: _lines(path) for path in sorted(folder.glob("*/log.jsonl"))
    }
    phases = {name: lines for name, lines in phases.items() if lines}
    if not phases:
        raise ValueError(
            f"{folder}: nothing logged yet; want PHASE/log.jsonl in it, as `posecascade train` writes"
        )
    _curves(folder / CURVES, phases)
    if examples is not None:
        cv2.imwrite(str(folder / EXAMPLES), examples, [cv2.IMWRITE_JPEG_QUALITY, 88])
    page = folder / PAGE
    page.write_text(_page(folder, phases))
    return page


def _lines(path: Path) -> list[dict[str, float]]:
    """The log by step; of steps that were logged twice, before and after a kill, the later line counts."""
    by_step = {
        line["step"]: line for line in map(json.loads, path.read_text().splitlines())
    }
    return [by_step[step] for step in sorted(by_step)]


def _curves(path: Path, phases: dict[str, list[dict[str, float]]]) -> None:
    canvas = Figure(figsize=(7 * len(phases), 4), layout="constrained")
    for axes, (name, lines) in zip(
        canvas.subplots(1, len(phases), squeeze=False)[0], phases.items(), strict=True
    ):
        for term in lines[-1]:
            if term not in ("step", "time"):
                axes.plot(
                    [line["step"] for line in lines],
                    [line[term] for line in lines],
                    label=term,
                    lw=2 if term == "total" else 1,
                )
        axes.set(title=name, xlabel="step", ylabel="loss")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    canvas.savefig(path, dpi=100)


def _page(folder: Path, phases: dict[str, list[dict[str, float]]]) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(name)}<td>{lines[-1]['step']:.0f}<td>{lines[-1]['total']:.3f}"
        f"<td>{(lines[-1]['time'] - lines[0]['time']) / 60:.0f}"
        for name, lines in phases.items()
    )
    pictures = (
        f'<h2>What it sees</h2><img src="{EXAMPLES}">'
        if (folder / EXAMPLES).exists()
        else ""
    )
    return (
        f"<!doctype html><meta charset=utf-8><title>{html.escape(folder.name)}</title>"
        "<style>body{font:15px system-ui;margin:2rem}img{max-width:100%}td,th{padding:.2rem 1rem;text-align:left}"
        f"</style><h1>{html.escape(folder.name)}</h1><table><tr><th>phase<th>steps<th>loss<th>minutes{rows}</table>"
        f'<h2>Losses</h2><img src="{CURVES}">{pictures}'
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the page; leaves with 2 where there is nothing to show."""
    parser = argparse.ArgumentParser(
        prog="python -m posecascade.models.lab.training.page", description=__doc__
    )
    parser.add_argument("folder", type=Path, help="a stage's folder, e.g. runs/coarse")
    try:
        sys.stdout.write(f"{write_page(parser.parse_args(argv).folder)}\n")
    except ValueError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
