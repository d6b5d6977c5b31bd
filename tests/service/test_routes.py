"""The routes beside the poses: health, model, licences, versions, metrics, the description, the page."""

import asyncio
from pathlib import Path

import httpx
import pytest

from posecascade.models.errors import ManifestError
from posecascade.models.records import Stage
from posecascade.service.app import create_app
from posecascade.service.settings import Settings
from posecascade.service.wire.model import LicenceReply, MetadataReply, ModelReply
from posecascade.service.wire.problem import Problem
from tests.doubles import FakeCascade
from tests.pictures import encoded, scene_bgr
from tests.service.conftest import Serve, running

PICTURE = encoded(scene_bgr())
JPEG = {"Content-Type": "image/jpeg"}


async def test_a_warm_service_is_live_and_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/health/live")).json() == {"status": "live"}
    assert (await client.head("/v1/health/ready")).status_code == 200
    ready = (await client.get("/v1/health/ready")).json()
    assert ready["status"] == "ready"
    assert ready["stages"]["coarse"] == {
        "provider": "FakeExecutionProvider",
        "failures": 0,
    }


async def test_a_service_that_cannot_start_says_why_and_is_not_worth_keeping(
    stage_failure: None,
) -> None:
    def broken(_: Settings) -> FakeCascade:
        raise ManifestError("coarse.onnx has another sha256 than manifest.json says")

    async with running(create_app(Settings(), cascade_loader=broken)) as client:  # type: ignore[arg-type]
        for path in ("/v1/health/live", "/v1/health/ready"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "stage_down")
            assert "coarse.onnx has another sha256" in answer.json()["detail"]


async def test_the_model_says_what_runs_and_what_it_promises(
    client: httpx.AsyncClient,
) -> None:
    model = ModelReply.model_validate_json((await client.get("/v1/model")).content)

    assert set(model.stages) == set(Stage)
    assert model.stages[Stage.REFINE].provider == "FakeExecutionProvider"
    assert model.policies == ["gain", "never", "always"]
    assert model.promises[0].extra_error_mm == 3.0
    assert model.promised is not None
    assert model.promised.units == 40
    assert model.skeletons["cascade25"].joints[0] == "pelvis"
    assert model.skeletons["halpe26"].lacking == ("left_small_toe", "right_small_toe")
    assert len(model.skeletons["cascade25"].bones) == 24


async def test_licences_and_versions_are_stated(client: httpx.AsyncClient) -> None:
    licence = LicenceReply.model_validate_json(
        (await client.get("/v1/license")).content
    )
    metadata = MetadataReply.model_validate_json(
        (await client.get("/v1/metadata")).content
    )

    assert licence.name == "Apache-2.0"
    assert licence.weights[Stage.COARSE].origin == "a test"
    assert metadata.model.weights == "sha256:" + "0" * 64
    assert "numpy" in metadata.packages


def value(text: str, sample: str) -> float:
    return next(
        float(line.rsplit(" ", 1)[1])
        for line in text.splitlines()
        if line.startswith(sample + " ")
    )


async def test_metrics_count_requests_people_and_stages(
    client: httpx.AsyncClient,
) -> None:
    await client.post("/v1/poses", content=PICTURE, headers=JPEG)
    await client.post("/v1/poses?price=-1", content=PICTURE, headers=JPEG)
    await client.get("/made/up/path")

    text = (await client.get("/v1/metrics")).text

    assert (
        value(
            text, 'posecascade_requests_total{code="",route="/v1/poses",status="200"}'
        )
        == 1
    )
    assert (
        value(
            text,
            'posecascade_requests_total{code="bad_parameter",route="/v1/poses",status="422"}',
        )
        == 1
    )
    assert (
        value(
            text,
            'posecascade_requests_total{code="not_found",route="other",status="404"}',
        )
        == 1
    )
    assert value(text, 'posecascade_people_total{stage="expert",stop="deepest"}') == 2
    assert value(text, 'posecascade_stage_items_total{stage="refine"}') == 2
    assert value(text, 'posecascade_stage_batch_items_count{stage="coarse"}') == 1
    assert value(text, 'posecascade_stage_queue_items{stage="coarse"}') == 0
    assert value(text, "posecascade_ready") == 1
    assert "made/up" not in text
    assert (
        (await client.get("/metrics"))
        .headers["content-type"]
        .startswith("text/plain; version=")
    )


async def test_two_services_in_one_process_count_apart(serve: Serve) -> None:
    async with serve() as one, serve() as other:
        await one.post("/v1/poses", content=PICTURE, headers=JPEG)

        assert value((await one.get("/metrics")).text, "posecascade_frames_total") == 1
        assert (
            value((await other.get("/metrics")).text, "posecascade_frames_total") == 0
        )


async def test_the_description_has_a_page(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")

    assert (page.status_code, "/v1/openapi.json" in page.text) == (200, True)


async def test_the_page_and_its_assets_are_served(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>hello</h1>")
    (tmp_path / "app.js").write_text("1")

    async with serve(page=tmp_path) as client:
        assert (await client.get("/")).text == "<h1>hello</h1>"
        assert (
            (await client.get("/page/app.js"))
            .headers["content-type"]
            .startswith("text/javascript")
        )
        assert (await client.get("/page/none.js")).json()["code"] == "not_found"


async def test_a_service_without_a_page_points_to_its_description(
    serve: Serve, tmp_path: Path
) -> None:
    async with serve(page=tmp_path / "none") as client:
        answer = await client.get("/")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type",
}


async def test_an_allowed_web_origin_may_call_and_no_other(serve: Serve) -> None:
    async with serve(allowed_origins=("https://lab.example",)) as client:
        good = await client.options(
            "/v1/poses", headers=PREFLIGHT | {"Origin": "https://lab.example"}
        )
        bad = await client.options(
            "/v1/poses", headers=PREFLIGHT | {"Origin": "https://evil.example"}
        )
        failed = await client.post(
            "/v1/poses", content=b"", headers=JPEG | {"Origin": "https://lab.example"}
        )

    assert good.headers["access-control-allow-origin"] == "https://lab.example"
    problem = Problem.model_validate_json(bad.content)
    assert (bad.status_code, problem.code, problem.request_id) == (
        403,
        "forbidden",
        bad.headers["x-request-id"],
    )
    assert "access-control-allow-origin" not in bad.headers
    assert (
        failed.headers["access-control-allow-origin"] == "https://lab.example"
    )  # a page can read its errors


@pytest.mark.parametrize("path", ["/v1/health/live", "/v1/health/ready", "/v1/metrics"])
async def test_health_is_answered_while_the_stages_are_busy(
    serve: Serve, cascade: FakeCascade, path: str
) -> None:
    coarse = cascade.runners[Stage.COARSE]
    async with serve() as client:
        coarse.gate.clear()
        busy = asyncio.create_task(
            client.post("/v1/poses", content=PICTURE, headers=JPEG)
        )
        await asyncio.to_thread(coarse.began.acquire)
        assert (await client.get(path)).status_code == 200
        assert not busy.done()
        coarse.gate.set()
        assert (await busy).status_code == 200
