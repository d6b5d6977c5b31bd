"""A simulated rush on the service, as a table and a picture.

python -m tests.service.engine.load_figure docs/figures/load.png
"""

import sys
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from posecascade.models.arrays import Floats
from tests.service.engine.outcomes import delays_s, looked_at, ordered, refused
from tests.service.engine.simulation import SimulatedFrame, Simulation, traffic

PHASES: Final = [
    (10.0, 2.0),
    (20.0, 7.0),
    (20.0, 10.5),
    (20.0, 21.0),
    (15.0, 50.0),
    (20.0, 2.0),
]
"""Seconds and frames a second: idle, all of the device at full depth, 1.5 and 3 times that, more than `coarse` alone
can do, idle again."""

STEP_S: Final = 2.5


def binned(at_s: Floats, values: Floats, edges_s: Floats) -> Floats:
    """[B] sums."""
    return np.histogram(at_s, edges_s, weights=values)[0]


def draw(frames: list[SimulatedFrame], samples: Floats, path: Path) -> None:
    """Load, price, depth and refused frames over time."""
    edges_s = np.arange(0.0, sum(lasts for lasts, _ in PHASES) + STEP_S, STEP_S)
    at_s = np.array([frame.arrived_s for frame in frames])
    came = binned(at_s, np.ones(len(frames)), edges_s) / STEP_S
    refused = (
        binned(
            at_s,
            np.array([frame.answered_s is None for frame in frames], float),
            edges_s,
        )
        / STEP_S
    )
    people = np.array([len(frame.error_mm) for frame in frames])
    hard = np.array([(frame.error_mm > 210).sum() for frame in frames])  # one in five
    deep = np.array([len(frame.deep) for frame in frames])
    hard_deep = np.array(
        [(frame.error_mm[list(frame.deep)] > 210).sum() for frame in frames]
    )
    figure = Figure(figsize=(8, 5.2), layout="constrained")
    load, price, depth = figure.subplots(3, sharex=True)
    load.stairs(came, edges_s, color="tab:gray", fill=True, alpha=0.4, label="came")
    load.stairs(
        refused, edges_s, color="tab:red", fill=True, alpha=0.8, label="refused"
    )
    load.set_ylabel("frames a second")
    price.plot(*samples.T, color="tab:blue", linewidth=1)
    price.set(
        ylabel="price, mm/ms",
        yscale="symlog",
        ylim=(0, 30),
        yticks=[0, 1, 10],
        yticklabels=["0", "1", "10"],
    )
    for part, whole, colour, label in (
        (hard_deep, hard, "tab:purple", "hardest fifth"),
        (deep, people, "tab:green", "everybody"),
    ):
        of = binned(at_s, whole, edges_s)
        depth.plot(
            edges_s[:-1][of > 0] + STEP_S / 2,
            binned(at_s, part, edges_s)[of > 0] / of[of > 0],
            color=colour,
            label=label,
        )
    depth.set(
        ylabel="share looked at again",
        xlabel="s",
        ylim=(0, 1.03),
        xlim=(0, edges_s[-1]),
    )
    load.legend(frameon=False)
    depth.legend(frameon=False)
    figure.savefig(path, dpi=80)


def table(frames: list[SimulatedFrame], samples: Floats) -> str:
    """One row a phase, in Markdown; the price is that of the phase's second half."""
    rows = [
        "| frames a second | refused | looked at again | harder first | price, mm/ms | delay, 95 % |",
        "|---|---|---|---|---|---|",
    ]
    began_s = 0.0
    for lasts_s, rate in PHASES:
        of = [
            frame for frame in frames if began_s <= frame.arrived_s < began_s + lasts_s
        ]
        price = samples[
            (began_s + lasts_s / 2 <= samples[:, 0])
            & (samples[:, 0] < began_s + lasts_s),
            1,
        ]
        rows.append(
            f"| {rate:g} | {refused(of)} of {len(of)} | {100 * looked_at(of).mean():.0f} % | "
            f"{ordered(of):.2f} | {price.mean():.2f} ± {price.std():.2f} | "
            f"{1000 * np.quantile(delays_s(of), 0.95):.0f} ms |"
        )
        began_s += lasts_s
    return "\n".join(rows)


def main() -> None:
    """Prints the table and writes the picture that the command names."""
    frames = traffic(PHASES)
    samples = Simulation().run(frames)
    draw(frames, samples, Path(sys.argv[1]))
    print(table(frames, samples))  # noqa: T201  # a command's answer


if __name__ == "__main__":
    main()
