"""`posecascade`: one entry, a file a command under `posecascade.service.commands`."""

import argparse
import os
import sys
from collections.abc import Sequence

from posecascade import __version__
from posecascade.models.cascade.cascade import Cascade
from posecascade.service.commands import info, predict, serve
from posecascade.service.commands.deferred import DEFERRED, run_deferred
from posecascade.service.commands.predict import Load


def main(argv: Sequence[str] | None = None, *, load: Load = Cascade.load) -> int:
    """Runs one command line.

    Args:
        argv: without the program's name; None: of this process.
        load: makes the cascade of `predict` and `info`.

    Returns:
        The exit status: 0, 1 when some of the work failed, 2 when it could not begin.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    if given and given[0] in DEFERRED:  # they have argument parsers of their own
        return run_deferred(given[0], given[1:])
    parser = _parser()
    try:
        args = parser.parse_args(given)
        return int(args.run(args, load))
    except SystemExit as stop:  # argparse: 2 for wrong usage, 0 after --help
        return int(stop.code or 0)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `| head`: what is flushed at exit would raise again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "posecascade", description="Metric 3D poses of every person in a frame."
    )
    parser.add_argument(
        "--version", action="version", version=f"posecascade {__version__}"
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, module, summary in (
        ("predict", predict, "find the people in pictures, folders and videos"),
        ("serve", serve, "answer over HTTP and WebSocket"),
        ("info", info, "show the weights: stages, costs, policies, licences"),
    ):
        command = commands.add_parser(name, help=summary, description=module.__doc__)
        module.add_to(command)
        command.set_defaults(run=module.run, usage_error=command.error)
    for name, tool in DEFERRED.items():
        commands.add_parser(name, help=tool.summary, add_help=False)
    return parser


if __name__ == "__main__":
    sys.exit(main())
