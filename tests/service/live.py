"""A whole service on a real socket, in a thread of its own, and a WebSocket client's side of a stream."""

import json
import threading
import time
from contextlib import contextmanager

import httpx
import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from posecascade.service.app import create_app
from posecascade.service.commands.serve import Server
from posecascade.service.settings import Settings
from posecascade.service.wire.stream_messages import HEADER, frame_message
from tests.doubles import FakeCascade
from tests.pictures import encoded, scene_bgr

JPEG = encoded(scene_bgr())
PATIENCE_S = 10


class Live:
    """A service that is ready."""

    def __init__(self, server, cascade):
        self.cascade = cascade
        self._server = server
        port = server.servers[0].sockets[0].getsockname()[1]
        self.host = f"127.0.0.1:{port}"
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx.Client(base_url=self.url)

    def measured(self, name):
        """One figure of /metrics, with its labels as they are written."""
        lines = self.http.get("/metrics").text.splitlines()
        return next(
            float(line.split()[-1]) for line in lines if line.startswith(name + " ")
        )

    def until(self, condition):
        """Returns once it holds: for what happens on the other side of a socket."""
        give_up = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < give_up, "it never came to hold"

    @contextmanager
    def stream(self, query="quality=fast", **options):
        """A stream that has been accepted."""
        with connect(
            f"ws://{self.host}/v1/stream?{query}", compression=None, **options
        ) as socket:
            yield Talk(socket)

    def shut_down(self):
        """Begins to end the service, as a signal would."""
        self._server.should_exit = True


class Talk:
    """A client's side of a stream."""

    def __init__(self, socket):
        self.socket = socket

    def say(self, type_, **members):
        self.socket.send(json.dumps({"type": type_} | members))

    def send(self, frame_id=None, at_s=0.0, image=JPEG, read=0):
        """A frame, with a header where it has a number."""
        self.socket.send(
            image
            if frame_id is None
            else frame_message(
                image, frame_id=frame_id, captured_s=at_s, answers_read=read
            )
        )

    def hear(self, type_):
        """The next message, which is of this type."""
        message = json.loads(self.socket.recv(timeout=PATIENCE_S))
        assert message["type"] == type_, message
        return message

    def answered_id(self):
        return self.hear("frame")["frame"]["id"]

    def hangup(self):
        """Code and reason of the close, which is all that still comes."""
        with pytest.raises(ConnectionClosed) as closed:
            self.socket.recv(timeout=PATIENCE_S)
        return closed.value.rcvd.code, closed.value.rcvd.reason


@contextmanager
def serving(*, people=2, ws_max_size=None, **settings):
    """`serving(max_streams=1)`: a service with those settings and a fake cascade."""
    cascade = FakeCascade(people=people)
    checked = Settings.model_validate(settings)
    app = create_app(checked, cascade_loader=lambda _: cascade)
    config = uvicorn.Config(
        app,
        port=0,
        log_config=None,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=ws_max_size or checked.max_bytes + HEADER.size,
    )
    server = Server(config, app.state.service)
    thread = threading.Thread(target=server.run, name="service")
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        live = Live(server, cascade)
        with live.http:
            live.until(lambda: live.http.get("/v1/health/ready").status_code == 200)
            yield live
    finally:
        server.should_exit = True
        thread.join()
