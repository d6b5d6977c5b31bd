"""`POST /v1/poses`: what a well-formed request gets."""

import httpx
import msgpack
import numpy as np
import pytest
from PIL import Image as Pillow

from posecascade.models.options import Quality
from posecascade.models.records import CameraSource, Stage
from posecascade.models.skeleton import HALPE26, JOINT_SETS
from posecascade.service.wire.poses import FrameReply
from tests.doubles import FakeCascade
from tests.pictures import encoded, scene_bgr

PICTURE = encoded(scene_bgr())
JPEG = {"Content-Type": "image/jpeg"}


async def test_a_picture_gives_its_people_with_2d_3d_and_uncertainty(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/v1/poses", content=PICTURE, headers=JPEG)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    reply = FrameReply.model_validate_json(answer.content)
    assert (reply.frame.id, reply.frame.width, reply.frame.height) == (0, 64, 48)
    assert reply.frame.camera.source is CameraSource.ASSUMED
    assert reply.model.weights == "sha256:" + "0" * 64
    person = reply.people[0]
    assert (person.id, person.stage, person.degraded) == (None, Stage.EXPERT, False)
    columns = person.joints_px, person.joint_scores, person.joints_mm, person.sigma_mm
    assert [len(column) for column in columns] == [25] * 4
    np.testing.assert_allclose(person.joints_mm[0], person.root_mm)
    assert "velocity_mm_s" not in answer.json()["people"][0]
    assert answer.json()["people"][0]["id"] is None


async def test_its_times_add_up_to_the_total(client: httpx.AsyncClient) -> None:
    timing = (await client.post("/v1/poses", content=PICTURE, headers=JPEG)).json()[
        "timing_ms"
    ]

    assert list(timing) == [
        "decode",
        "queue",
        "coarse",
        "route",
        "refine",
        "expert",
        "other",
        "total",
    ]
    assert sum(ms for name, ms in timing.items() if name != "total") == pytest.approx(
        timing["total"], abs=1e-6
    )
    assert timing["decode"] > 0


async def test_nobody_in_the_picture_is_an_empty_list(
    client: httpx.AsyncClient, cascade: FakeCascade
) -> None:
    cascade.people = 0

    answer = await client.post("/v1/poses", content=PICTURE, headers=JPEG)

    assert (answer.status_code, answer.json()["people"]) == (200, [])


@pytest.mark.parametrize("name", ["photo.jpg", "weird name €.png", None])
async def test_a_form_is_answered_like_the_bare_bytes(
    client: httpx.AsyncClient, name: str | None
) -> None:
    bare = await client.post("/v1/poses", content=PICTURE, headers=JPEG)

    form = await client.post("/v1/poses", files={"image": (name, PICTURE)})

    assert form.status_code == 200
    assert (
        form.json()["people"][0]["joints_mm"] == bare.json()["people"][0]["joints_mm"]
    )


async def test_what_the_content_type_says_matters_less_than_the_bytes(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post(
        "/v1/poses", content=encoded(scene_bgr(), "PNG"), headers=JPEG
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(("accept", "media_type"), [
    ("*/*", "application/json"), ("application/json", "application/json"), ("", "application/json"),
    ("application/msgpack", "application/msgpack"), ("text/html, application/*;q=0.5", "application/json"),
    ("application/json;q=0.1, application/msgpack", "application/msgpack"),
    ("application/json;q=0, */*", "application/msgpack"), ("APPLICATION/JSON", "application/json"),
])  # fmt: skip
async def test_the_client_chooses_the_format(
    client: httpx.AsyncClient, accept: str, media_type: str
) -> None:
    answer = await client.post(
        "/v1/poses", content=PICTURE, headers=JPEG | {"Accept": accept}
    )

    assert answer.headers["content-type"] == media_type
    read = (
        answer.json()
        if media_type == "application/json"
        else msgpack.unpackb(answer.content)
    )
    assert FrameReply.model_validate(read).people


@pytest.mark.parametrize("skeleton", JOINT_SETS)
async def test_every_skeleton_can_be_asked_for(
    client: httpx.AsyncClient, skeleton: str
) -> None:
    reply = (
        await client.post(
            "/v1/poses", params={"skeleton": skeleton}, content=PICTURE, headers=JPEG
        )
    ).json()

    assert reply["skeleton"] == skeleton
    assert len(reply["people"][0]["joints_px"]) == len(JOINT_SETS[skeleton].joints)


async def test_joints_that_we_lack_are_null_and_never_guessed(
    client: httpx.AsyncClient,
) -> None:
    reply = (
        await client.post(
            "/v1/poses", params={"skeleton": "halpe26"}, content=PICTURE, headers=JPEG
        )
    ).json()

    lacking = [ours < 0 for ours in HALPE26.source]
    for column in ("joints_px", "joint_scores", "joints_mm", "sigma_mm"):
        assert [row is None for row in reply["people"][0][column]] == lacking


async def test_every_setting_reaches_the_cascade(
    client: httpx.AsyncClient, cascade: FakeCascade
) -> None:
    await client.post(
        "/v1/poses",
        content=PICTURE,
        headers=JPEG,
        params={
            "quality": "best",
            "price": "2.5",
            "budget_ms": "15",
            "policy": "always",
            "max_people": "1",
            "min_score": "0.5",
            "region": "1,2,30,40.5",
            "fx": "100",
            "fy": "101",
            "cx": "32",
            "cy": "24",
        },
    )

    requested = cascade.requested[-1]
    assert (
        requested.quality,
        requested.price,
        requested.budget_ms,
        requested.policy,
    ) == (
        Quality.BEST,
        2.5,
        15,
        "always",
    )
    assert (requested.max_people, requested.min_score, requested.region_xywh_px) == (
        1,
        0.5,
        (1, 2, 30, 40.5),
    )
    assert requested.camera is not None
    assert (
        requested.camera.fx,
        requested.camera.fy,
        requested.camera.cx,
        requested.camera.cy,
    ) == (
        100,
        101,
        32,
        24,
    )


async def test_a_field_of_view_is_one_of_the_long_side(
    client: httpx.AsyncClient,
) -> None:
    camera = (
        await client.post(
            "/v1/poses", params={"fov_deg": "90"}, content=PICTURE, headers=JPEG
        )
    ).json()["frame"]["camera"]

    assert camera == {
        "fx": 32.0,
        "fy": 32.0,
        "cx": 32.0,
        "cy": 24.0,
        "source": "request",
    }


async def test_a_camera_is_taken_from_the_request_before_exif(
    client: httpx.AsyncClient,
) -> None:
    exif = Pillow.Exif()
    exif.get_ifd(0x8769)[0xA405] = 50
    photo = encoded(scene_bgr(), exif=exif)

    of_exif = await client.post("/v1/poses", content=photo, headers=JPEG)
    of_request = await client.post(
        "/v1/poses", params={"fov_deg": "60"}, content=photo, headers=JPEG
    )

    assert of_exif.json()["frame"]["camera"]["source"] == "exif"
    assert of_request.json()["frame"]["camera"]["source"] == "request"


async def test_a_turned_photo_is_answered_as_people_see_it(
    client: httpx.AsyncClient,
) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6

    frame = (
        await client.post(
            "/v1/poses", content=encoded(scene_bgr(), exif=exif), headers=JPEG
        )
    ).json()["frame"]

    assert (frame["width"], frame["height"]) == (48, 64)


@pytest.mark.parametrize("sent", ["abc-123", "a" * 128, "2f:1/x+y=z@host"])
async def test_a_well_formed_request_id_is_kept(
    client: httpx.AsyncClient, sent: str
) -> None:
    for path in ("/v1/health/live", "/nowhere"):
        assert (await client.get(path, headers={"X-Request-Id": sent})).headers[
            "x-request-id"
        ] == sent


@pytest.mark.parametrize(
    "sent", ["", "a" * 129, "with space", "émile".encode(), "<script>"]
)
async def test_any_other_request_id_is_replaced(
    client: httpx.AsyncClient, sent: str | bytes
) -> None:
    given = (
        await client.get("/v1/health/live", headers={"X-Request-Id": sent})
    ).headers["x-request-id"]

    assert len(given) == 32
    assert given != sent
