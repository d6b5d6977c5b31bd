"""The whole error list through the real app: status, code, problem document; and the next request is unharmed."""

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from PIL import Image as Pillow

from posecascade.models.records import Stage
from posecascade.service.engine.engine import BROKEN_AFTER
from posecascade.service.wire.problem import Problem
from tests.doubles import FakeCascade
from tests.eventually import until
from tests.pictures import encoded, scene_bgr
from tests.service.conftest import Serve

PICTURE = encoded(scene_bgr())
JPEG = {"Content-Type": "image/jpeg"}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>'


def png_claiming(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body))
            + name
            + body
            + struct.pack(">I", zlib.crc32(name + body))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + chunk(b"IDAT", zlib.compress(bytes(100)))
        + chunk(b"IEND", b"")
    )


def animated(format: str) -> bytes:
    return encoded(
        scene_bgr(),
        format,
        save_all=True,
        append_images=[Pillow.fromarray(255 - scene_bgr())],
    )


def is_problem(answer: httpx.Response, status: int, code: str) -> Problem:
    """The error's document, which must be exactly what it should be."""
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    ), answer.text
    problem = Problem.model_validate_json(answer.content)
    assert (problem.status, problem.code) == (status, code)
    assert problem.request_id == answer.headers["x-request-id"]
    assert problem.detail
    assert "Traceback" not in answer.text
    return problem


async def works(client: httpx.AsyncClient, **headers: str) -> None:
    assert (
        await client.post("/v1/poses", content=PICTURE, headers=JPEG | headers)
    ).status_code == 200


@pytest.mark.parametrize(("body", "content_type", "status", "code"), [
    pytest.param(PICTURE[: len(PICTURE) // 2], "image/jpeg", 400, "bad_image", id="truncated jpeg"),
    pytest.param(PICTURE[:-2], "image/jpeg", 400, "bad_image", id="jpeg without its end"),
    pytest.param(b"\xff\xd8\xff" + b"\x01\x02" * 500, "image/jpeg", 400, "bad_image", id="corrupt"),
    pytest.param(bytes(range(1, 200)) * 9, "image/png", 400, "bad_image", id="no picture at all"),
    pytest.param(b"", "image/jpeg", 400, "empty_body", id="nothing"),
    pytest.param(png_claiming(50000, 50000), "image/png", 413, "too_many_pixels", id="a claim of 2500 megapixels"),
    pytest.param(animated("GIF"), "image/gif", 415, "unsupported_media", id="animated gif"),
    pytest.param(animated("WEBP"), "image/webp", 415, "unsupported_media", id="animated webp"),
    pytest.param(SVG, "image/svg+xml", 415, "unsupported_media", id="svg, said"),
    pytest.param(SVG, "image/png", 415, "unsupported_media", id="svg, not said"),
    pytest.param(b"hello there", "text/plain", 415, "unsupported_media", id="text, said"),
    pytest.param(b"hello there", "image/jpeg", 415, "unsupported_media", id="text, not said"),
    pytest.param(PICTURE, "application/json", 415, "unsupported_media", id="a wrong content type"),
    pytest.param(PICTURE, "application/octet-stream", 415, "unsupported_media", id="a vague content type"),
    pytest.param(PICTURE, "", 415, "unsupported_media", id="no content type"),
])  # fmt: skip
async def test_bodies_that_are_no_picture(
    client: httpx.AsyncClient, body: bytes, content_type: str, status: int, code: str
) -> None:
    is_problem(
        await client.post(
            "/v1/poses", content=body, headers={"Content-Type": content_type}
        ),
        status,
        code,
    )
    await works(client)


async def test_a_compressed_body_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/v1/poses", content=PICTURE, headers=JPEG | {"Content-Encoding": "gzip"}
    )

    assert "Content-Encoding" in is_problem(answer, 415, "unsupported_media").detail


@pytest.mark.parametrize(("body", "status", "code"), [
    pytest.param(b"no form at all", 400, "bad_image", id="damaged"),
    pytest.param(b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\nabc', 400, "bad_image", id="cut off"),
    pytest.param(b"--x--\r\n", 422, "bad_parameter", id="no part"),
    pytest.param(b'--x\r\nContent-Disposition: form-data; name="photo"\r\n\r\nabc\r\n--x--\r\n', 422, "bad_parameter",
                 id="a part of another name"),
    pytest.param(b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\n\r\n--x--\r\n', 400, "empty_body",
                 id="an empty part"),
])  # fmt: skip
async def test_forms_that_hold_no_picture(
    client: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    is_problem(
        await client.post("/v1/poses", content=body, headers=headers), status, code
    )
    await works(client)


async def test_a_form_without_a_boundary_or_with_two_pictures(
    client: httpx.AsyncClient,
) -> None:
    unbounded = await client.post(
        "/v1/poses", content=PICTURE, headers={"Content-Type": "multipart/form-data"}
    )
    two = await client.post("/v1/poses", files=[("image", PICTURE), ("image", PICTURE)])

    is_problem(unbounded, 400, "bad_image")
    is_problem(two, 422, "bad_parameter")


@pytest.mark.parametrize(("query", "parameter", "allowed"), [
    ("price=nan", "price", ">= 0"), ("price=inf", "price", ">= 0"), ("price=-1", "price", ">= 0"),
    ("price=", "price", ">= 0"), ("max_extra_error_mm=0", "max_extra_error_mm", "> 0"),
    ("budget_ms=-5", "budget_ms", "> 0"), ("budget_ms=NaN", "budget_ms", "> 0"), ("quality=ok", "quality", "balanced"),
    ("policy=vibes", "policy", "gain | never | always"), ("max_people=0", "max_people", "1..64"),
    ("max_people=65", "max_people", "1..64"), ("max_people=2.5", "max_people", "1..64"),
    ("min_score=1.01", "min_score", "0..1"), ("min_score=nan", "min_score", "0..1"),
    ("skeleton=smpl", "skeleton", "coco17"), ("fov_deg=0", "fov_deg", "1..179"), ("fov_deg=180", "fov_deg", "1..179"),
    ("fx=100", "fy", "fx"), ("fx=100&fy=100&cx=3", "cy", "fx"), ("fx=nan&fy=1&cx=1&cy=1", "fx", "1..1000000"),
    ("fx=-100&fy=100&cx=3&cy=3", "fx", "1..1000000"), ("fov_deg=60&fx=1&fy=1&cx=1&cy=1", "fov_deg", "left out"),
    ("price=1&max_extra_error_mm=2", "max_extra_error_mm", "left out"),
    ("policy=never&max_extra_error_mm=2", "max_extra_error_mm", "left out"), ("region=1,2,3", "region", "x,y,w,h"),
    ("region=0,0,0,10", "region", "w,h >= 1"), ("region=-1,0,5,5", "region", "x,y >= 0"),
    ("region=0,0,nan,5", "region", "x,y,w,h"), ("region=0,0,65,48", "region", "inside the frame of 64x48"),
    ("colour=red", "colour", "quality"), ("price=1&price=2", "price", "once"), ("Quality=best", "Quality", "quality"),
    ("%00=%00", "\\x00", ""), ("policy=%F0%9F%92%83", "policy", "gain"),
])  # fmt: skip
async def test_a_parameter_that_cannot_be_honoured_is_named(
    client: httpx.AsyncClient, query: str, parameter: str, allowed: str
) -> None:
    problem = is_problem(
        await client.post(f"/v1/poses?{query}", content=PICTURE, headers=JPEG),
        422,
        "bad_parameter",
    )

    assert problem.parameter == parameter
    assert problem.value is not None
    assert allowed in (problem.allowed or "")
    await works(client)


async def test_too_many_bytes_are_refused_before_they_are_read(serve: Serve) -> None:
    taken: list[bytes] = []

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            taken.append(b"x" * 1000)
            yield taken[-1]

    async with serve(max_bytes=5000) as client:
        announced = await client.post("/v1/poses", content=bytes(5001), headers=JPEG)
        streamed = await client.post("/v1/poses", content=endless(), headers=JPEG)
        form = await client.post("/v1/poses", files={"image": bytes(5001)})
        await works(client)

    for answer in (announced, streamed, form):
        is_problem(answer, 413, "too_many_bytes")
    assert announced.headers["connection"] == "close"
    assert len(taken) <= 7


async def test_too_many_pixels_are_refused(serve: Serve) -> None:
    async with serve(max_pixels=64 * 48 - 1) as client:
        is_problem(
            await client.post("/v1/poses", content=PICTURE, headers=JPEG),
            413,
            "too_many_pixels",
        )


async def test_a_client_that_sends_too_slowly(serve: Serve) -> None:
    stalled = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield PICTURE[:100]
        await stalled.wait()

    async with serve(body_timeout_s=0.05) as client:
        answer = await client.post("/v1/poses", content=slow(), headers=JPEG)
        assert "100 bytes came" in is_problem(answer, 408, "body_timeout").detail
        await works(client)


async def test_a_format_that_we_do_not_speak(client: httpx.AsyncClient) -> None:
    for accept in (
        "text/html",
        "application/xml, image/*",
        "application/json;q=0",
        ";;,,;q=x",
    ):
        answer = await client.post(
            "/v1/poses", content=PICTURE, headers=JPEG | {"Accept": accept}
        )
        is_problem(answer, 406, "not_acceptable")


async def test_paths_and_methods_that_do_not_exist(client: httpx.AsyncClient) -> None:
    for path in (
        "/v1/pose",
        "/v2/poses",
        "/v1/poses/",
        "/page/../settings.py",
        "/page/%2e%2e/app.py",
        "/%00",
        "/v1",
    ):
        is_problem(await client.get(path), 404, "not_found")
    for method, path, allow in (
        ("GET", "/v1/poses", "POST"),
        ("DELETE", "/v1/model", "GET"),
        ("PUT", "/", "GET"),
        ("TRACE", "/v1/poses", "POST"),
        ("POST", "/page/app.js", "GET"),
    ):
        answer = await client.request(method, path)
        is_problem(answer, 405, "method_not_allowed")
        assert allow in answer.headers["allow"]


async def test_a_strange_host_header_harms_nothing(client: httpx.AsyncClient) -> None:
    for path in ("/nowhere", "/v1/poses"):
        assert (await client.get(path, headers={"Host": "[::1"})).status_code in (
            404,
            405,
        )


KEYS = [
    {"key": "everything-1", "name": "all"},
    {"key": "streams-only", "name": "camera", "scopes": ["stream"]},
    {"key": "not-so-often", "name": "slow", "requests_per_s": 0.1},
]


async def test_keys_let_in_whom_they_should(serve: Serve) -> None:
    async with serve(keys=KEYS) as client:

        async def ask(authorization: str | None) -> httpx.Response:
            key: dict[str, Any] = (
                {}
                if authorization is None
                else {"Authorization": authorization.encode()}
            )
            return await client.post("/v1/poses", content=PICTURE, headers=JPEG | key)

        for sent in (
            None,
            "",
            "Bearer",
            "Bearer wrong-key",
            "Basic everything-1",
            "Bearer ñ",
        ):
            answer = await ask(sent)
            is_problem(answer, 401, "unauthorized")
            assert answer.headers["www-authenticate"] == "Bearer"
        is_problem(await ask("Bearer streams-only"), 403, "forbidden")
        assert (await ask("bearer everything-1")).status_code == 200
        assert (await client.get("/v1/health/live")).status_code == 200


async def test_a_key_may_ask_so_often_and_no_oftener(serve: Serve) -> None:
    async with serve(keys=KEYS) as client:
        await works(client, Authorization="Bearer not-so-often")
        headers = JPEG | {"Authorization": "Bearer not-so-often"}
        answer = await client.post("/v1/poses", content=PICTURE, headers=headers)
        is_problem(answer, 429, "rate_limited")
        assert answer.headers["retry-after"] == "10"
        await works(client, Authorization="Bearer everything-1")


async def test_nothing_is_served_before_the_cascade_is_warm(
    serve: Serve, cascade: FakeCascade
) -> None:
    warm = asyncio.Event()
    loop = asyncio.get_running_loop()
    cascade.warm_up = lambda: asyncio.run_coroutine_threadsafe(
        warm.wait(), loop
    ).result(5)  # type: ignore[method-assign,return-value,assignment]
    async with serve(ready=False) as client:
        for method, path in (
            ("POST", "/v1/poses"),
            ("GET", "/v1/health/ready"),
            ("GET", "/v1/model"),
        ):
            answer = await client.request(method, path, content=PICTURE, headers=JPEG)
            is_problem(answer, 503, "starting")
            assert int(answer.headers["retry-after"]) > 0
        assert (await client.get("/v1/health/live")).status_code == 200
        warm.set()
        await until(
            lambda: (
                cascade.requested == []
                and client._transport.app.state.service.engine.refusal() is None
            )
        )  # type: ignore[attr-defined]
        await works(client)


async def test_a_service_that_drains_takes_nothing_new_and_finishes_the_old(
    serve: Serve, cascade: FakeCascade
) -> None:
    coarse = cascade.runners[Stage.COARSE]
    async with serve() as client:
        coarse.gate.clear()
        old = asyncio.create_task(
            client.post("/v1/poses", content=PICTURE, headers=JPEG)
        )
        await asyncio.to_thread(coarse.began.acquire)
        client._transport.app.state.service.engine.drain()  # type: ignore[attr-defined]

        is_problem(
            await client.post("/v1/poses", content=PICTURE, headers=JPEG),
            503,
            "draining",
        )
        is_problem(await client.get("/v1/health/ready"), 503, "draining")
        assert (await client.get("/v1/health/live")).status_code == 200
        coarse.gate.set()
        assert (await old).status_code == 200


async def test_more_than_it_can_take_is_overload(
    serve: Serve, cascade: FakeCascade
) -> None:
    coarse = cascade.runners[Stage.COARSE]
    async with serve(coarse_queue=1, max_requests=3) as client:
        coarse.gate.clear()
        requested = [
            asyncio.create_task(client.post("/v1/poses", content=PICTURE, headers=JPEG))
            for _ in range(8)
        ]
        await asyncio.wait(requested, return_when=asyncio.FIRST_COMPLETED)
        coarse.gate.set()
        answers = await asyncio.gather(*requested)
        await works(client)

    refused = [answer for answer in answers if answer.status_code != 200]
    assert refused
    for answer in refused:
        is_problem(answer, 503, "overloaded")
        assert int(answer.headers["retry-after"]) > 0


async def test_a_failing_first_stage_is_down_and_then_not_worth_keeping(
    client: httpx.AsyncClient, cascade: FakeCascade, stage_failure: None
) -> None:
    cascade.runners[Stage.COARSE].failing = RuntimeError("secret path /srv/weights")
    for _ in range(BROKEN_AFTER):
        assert (await client.get("/v1/health/live")).status_code == 200
        answer = await client.post("/v1/poses", content=PICTURE, headers=JPEG)
        assert "secret" not in is_problem(answer, 503, "stage_down").detail

    is_problem(await client.get("/v1/health/ready"), 503, "stage_down")
    is_problem(await client.get("/v1/health/live"), 503, "stage_down")


async def test_a_failing_deeper_stage_degrades_people_and_no_request(
    client: httpx.AsyncClient, cascade: FakeCascade, stage_failure: None
) -> None:
    cascade.runners[Stage.REFINE].failing = RuntimeError("out of memory")

    people = (await client.post("/v1/poses", content=PICTURE, headers=JPEG)).json()[
        "people"
    ]

    assert [(p["stage"], p["stop"], p["degraded"]) for p in people] == [
        ("coarse", "stage_failed", True)
    ] * 2
    assert (await client.get("/v1/health/ready")).json()["stages"]["refine"][
        "failures"
    ] == 1


async def test_a_defect_of_ours_is_a_problem_document_too(
    client: httpx.AsyncClient, cascade: FakeCascade, stage_failure: None
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    cascade.steps = broken  # type: ignore[method-assign,assignment]

    problem = is_problem(
        await client.post("/v1/poses", content=PICTURE, headers=JPEG), 500, "internal"
    )
    assert "defect of ours" in problem.detail
    assert (await client.get("/v1/health/live")).status_code == 200
