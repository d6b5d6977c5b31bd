"""`posecascade serve`: the service of the HTTP and WebSocket interface. Further settings: variables POSECASCADE_*."""

import argparse
import asyncio
import re
import socket
import sys
from pathlib import Path
from typing import Final

import uvicorn
from pydantic import ValidationError
from pydantic_settings import SettingsError

from posecascade.models.runners import RUNTIMES
from posecascade.service.app import create_app
from posecascade.service.commands.predict import Load
from posecascade.service.settings import Settings
from posecascade.service.state import Service
from posecascade.service.wire.stream_messages import HEADER

_FLAGS: Final = ("host", "port", "weights", "runtime", "threads")
"""Settings that have a flag here as well."""
_TICK_S: Final = 0.1


class Server(uvicorn.Server):
    """Reports not ready for `drain_s` before it stops listening, so that a load balancer routes around it."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.engine.drain()
        for _ in range(round(self._service.settings.drain_s / _TICK_S)):
            if self.force_exit:  # a second Ctrl-C
                break
            await asyncio.sleep(_TICK_S)
        await super().shutdown(sockets)


def add_to(parser: argparse.ArgumentParser) -> None:
    """The command's arguments; left out, they come from the environment."""
    default = Settings.model_fields
    parser.add_argument(
        "--host", help=f"address to listen on (default {default['host'].default})"
    )
    parser.add_argument(
        "--port", type=int, help=f"0: a free one (default {default['port'].default})"
    )
    parser.add_argument(
        "--weights", type=Path, metavar="FOLDER", help="default: those that ship"
    )
    parser.add_argument(
        "--runtime", choices=RUNTIMES, help=f"default {default['runtime'].default}"
    )
    parser.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help=f"of one stage (default {default['threads'].default})",
    )
    parser.add_argument(
        "--log-level", default="info", choices=("debug", "info", "warning", "error")
    )
    parser.add_argument(
        "--access-log", action="store_true", help="a line for each request"
    )


def run(args: argparse.Namespace, load: Load) -> int:
    """Serves until a signal; 2 where the settings are wrong, 3 where it could not start."""
    try:
        settings = Settings(
            **{
                name: getattr(args, name)
                for name in _FLAGS
                if getattr(args, name) is not None
            }
        )
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_context=False):
            print(
                f"posecascade serve: {'.'.join(map(str, fault['loc']))}: {fault['msg']}",
                file=sys.stderr,
            )
        return 2
    except SettingsError as error:  # a variable that is not the JSON it must be
        print(f"posecascade serve: {_variable(error)}", file=sys.stderr)
        return 2
    app = create_app(
        settings,
        cascade_loader=lambda s: load(s.weights, runtime=s.runtime, threads=s.threads),
    )
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_level=args.log_level,
        access_log=args.access_log,
        server_header=False,
        timeout_graceful_shutdown=round(settings.answer_timeout_s),
        ws="websockets-sansio",
        ws_max_size=settings.max_bytes + HEADER.size,
        ws_ping_timeout=120.0,  # a file's frames fill the socket, and the pong waits behind them
        ws_per_message_deflate=False,  # pictures do not get smaller, and answers cost more time than they save
    )
    server = Server(config, app.state.service)
    server.run()
    return 0 if server.started else 3


def _variable(error: SettingsError) -> str:
    """Which variable is wrong, in one line."""
    field = re.search(r'field "(\w+)"', str(error))
    if field is None:
        return str(error)
    name = field.group(1)
    return f"POSECASCADE_{name.upper()} must be JSON, see docs/operations.md: {error.__cause__}"
