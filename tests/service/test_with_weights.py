"""The whole service with the weights that ship: real photos in, people out."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from posecascade.models.manifest import WEIGHTS
from posecascade.models.skeleton import JOINT_SETS
from posecascade.service.app import create_app
from posecascade.service.settings import Settings
from posecascade.service.wire.poses import FrameReply
from tests.pictures import encoded
from tests.service.conftest import running

PHOTO = Path(__file__).parents[2] / "docs/demo/table_four_people.jpg"
JPEG = {"Content-Type": "image/jpeg"}

pytestmark = pytest.mark.skipif(
    not (WEIGHTS / "manifest.json").exists(), reason="no weights in models/weights yet"
)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def client(anyio_backend: str) -> AsyncIterator[httpx.AsyncClient]:
    unhurried = Settings(
        queue_target_ms=60_000
    )  # else frames that come together cost each other depth
    async with running(create_app(unhurried), patience_s=60) as client:
        yield client


async def requested(
    client: httpx.AsyncClient, picture: bytes, **query: Any
) -> FrameReply:
    answer = await client.post("/v1/poses", content=picture, params=query, headers=JPEG)
    assert answer.status_code == 200, answer.text
    return FrameReply.model_validate_json(answer.content)


def roots(reply: FrameReply) -> np.ndarray[Any, Any]:
    """[P, 3] mm, left to right."""
    return np.array(sorted(person.root_mm for person in reply.people)).reshape(-1, 3)


def photo() -> Pillow.Image:
    return Pillow.open(PHOTO).convert("RGB")


async def test_a_photo_gives_plausible_people(client: httpx.AsyncClient) -> None:
    reply = await requested(client, PHOTO.read_bytes(), quality="best")

    assert len(reply.people) >= 3
    for person in reply.people:
        assert 300 < person.root_mm[2] < 20_000
        height_mm = np.ptp([joint or () for joint in person.joints_mm], axis=0).max()
        assert 400 < height_mm < 2500
        assert 5 < person.expected_error_mm < 1000
    scores = [person.score for person in reply.people]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("orientation", [2, 3, 4, 5, 6, 7, 8])
async def test_an_exif_rotated_photo_gives_the_same_people_as_the_upright_one(
    client: httpx.AsyncClient, orientation: int
) -> None:
    undone_by = {
        2: Pillow.Transpose.FLIP_LEFT_RIGHT,
        3: Pillow.Transpose.ROTATE_180,
        4: Pillow.Transpose.FLIP_TOP_BOTTOM,
        5: Pillow.Transpose.TRANSPOSE,
        6: Pillow.Transpose.ROTATE_90,
        7: Pillow.Transpose.TRANSVERSE,
        8: Pillow.Transpose.ROTATE_270,
    }[orientation]
    exif = Pillow.Exif()
    exif[0x0112] = orientation

    upright = await requested(client, encoded(photo(), "PNG"), quality="best")
    turned = await requested(
        client, encoded(photo().transpose(undone_by), "PNG", exif=exif), quality="best"
    )

    np.testing.assert_allclose(
        roots(turned), roots(upright), atol=0.2
    )  # PNG keeps every pixel


@pytest.mark.parametrize("kind", ["CMYK", "RGBA", "16 bit", "WEBP", "BMP", "TIFF"])
async def test_the_kind_of_file_changes_the_people_little(
    client: httpx.AsyncClient, kind: str
) -> None:
    if kind == "16 bit":
        data = cv2.imencode(
            ".png", np.asarray(photo())[..., ::-1].astype(np.uint16) * 257
        )[1].tobytes()
    elif kind in ("CMYK", "RGBA"):
        data = encoded(photo().convert(kind), "JPEG" if kind == "CMYK" else "PNG")
    else:
        data = encoded(photo(), kind)

    # One route for all: near the price, a slight change of the picture may send a person to another stage.
    # What JPEG's own loss does to the distance is no matter of CMYK: both files have it.
    same = encoded(photo(), "JPEG" if kind == "CMYK" else "PNG")
    plain, other = [
        await requested(client, file, quality="best") for file in (same, data)
    ]

    assert len(other.people) == len(plain.people)
    # Lossy compression and the round trip through CMYK move edges by a fraction of a pixel.
    np.testing.assert_allclose(roots(other)[:, :2], roots(plain)[:, :2], atol=60)


async def test_grey_people_are_people(client: httpx.AsyncClient) -> None:
    assert (await requested(client, encoded(photo().convert("L")))).people


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (2000, 1), (3, 5), (2500, 40)])
async def test_pictures_of_odd_shapes_are_answered(
    client: httpx.AsyncClient, size: tuple[int, int]
) -> None:
    reply = await requested(
        client, encoded(photo().resize(size), "PNG"), quality="best"
    )

    assert (reply.frame.width, reply.frame.height) == size


async def test_frames_that_share_a_batch_are_answered_as_alone(
    client: httpx.AsyncClient,
) -> None:
    other = encoded(photo().transpose(Pillow.Transpose.FLIP_LEFT_RIGHT), "PNG")
    alone = [
        await requested(client, data, quality="best")
        for data in (PHOTO.read_bytes(), other)
    ]

    together = await asyncio.gather(
        *(
            requested(client, data, quality="best")
            for data in (PHOTO.read_bytes(), other) * 3
        )
    )

    for reply, want in zip(together, alone * 3, strict=True):
        np.testing.assert_allclose(roots(reply), roots(want), atol=0.2)


async def test_a_region_is_looked_at_alone_and_answered_in_pixels_of_the_frame(
    client: httpx.AsyncClient,
) -> None:
    whole = await requested(client, PHOTO.read_bytes())
    x, y, w, h = whole.people[0].box_xywh_px
    left = max(x - 20, 0)
    top = max(y - 20, 0)
    right = min(x + w + 20, whole.frame.width)
    bottom = min(y + h + 20, whole.frame.height)

    part = await requested(
        client, PHOTO.read_bytes(), region=f"{left},{top},{right - left},{bottom - top}"
    )

    nose = np.array([person.joints_px[4] for person in part.people])
    assert (
        np.linalg.norm(nose - np.array(whole.people[0].joints_px[4]), axis=1).min() < 15
    )


async def test_fast_stays_coarse_and_best_goes_to_the_deepest(
    client: httpx.AsyncClient,
) -> None:
    fast, best = [
        await requested(client, PHOTO.read_bytes(), quality=quality)
        for quality in ("fast", "best")
    ]

    assert {person.stage for person in fast.people} == {"coarse"}
    assert {person.stage for person in best.people} == {"expert"}


@pytest.mark.parametrize(
    ("shallow", "deep"),
    [
        ({"price": 1e6}, {"price": 0}),
        ({"quality": "fast"}, {"price": 0}),
        ({"price": 1e6}, {"max_extra_error_mm": 1e-6}),
    ],
)
async def test_price_and_promise_change_from_picture_to_picture(
    client: httpx.AsyncClient, shallow: dict[str, Any], deep: dict[str, Any]
) -> None:
    replies = [
        await requested(client, PHOTO.read_bytes(), **query)
        for query in (shallow, deep, shallow)
    ]
    looks = [
        sum(person.stage != "coarse" for person in reply.people) for reply in replies
    ]

    assert looks[0] == looks[2] == 0
    assert looks[1] > 0


def test_no_combination_of_settings_is_a_defect() -> None:
    """Values at the edges of what is allowed, on a small picture; through an app of its own, in a loop of its own."""
    small = encoded(photo().resize((160, 106)))
    number = {"min_value": 0, "allow_subnormal": True}
    query = st.fixed_dictionaries(
        {},
        optional={
            "quality": st.sampled_from(["fast", "balanced", "best"]),
            "skeleton": st.sampled_from(sorted(JOINT_SETS)),
            "price": st.floats(**number, allow_infinity=False),
            "budget_ms": st.floats(**number, exclude_min=True),
            "max_people": st.integers(1, 64),
            "min_score": st.floats(0, 1),
            "fov_deg": st.floats(1, 179),
            "region": st.tuples(
                st.floats(0, 159),
                st.floats(0, 105),
                st.floats(1, 160),
                st.floats(1, 106),
            ).map(lambda region: ",".join(map(repr, region))),
        },
    )
    cameras = st.none() | st.tuples(
        *[st.floats(1, 1e6)] * 2, *[st.floats(-1e6, 1e6)] * 2
    )

    async def check() -> None:
        async with running(create_app(Settings()), patience_s=60) as client:
            asking = asyncio.get_running_loop()

            @settings(
                max_examples=60,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                database=None,
            )
            @given(query, cameras)
            def ask(query: dict[str, Any], camera: tuple[float, ...] | None) -> None:
                if camera is not None and "fov_deg" not in query:
                    query |= dict(zip(("fx", "fy", "cx", "cy"), camera, strict=True))
                request = client.post(
                    "/v1/poses", content=small, params=query, headers=JPEG
                )
                answer = asyncio.run_coroutine_threadsafe(request, asking).result(60)
                assert answer.status_code in (200, 422), answer.text
                assert "NaN" not in answer.text
                if answer.status_code == 200:
                    FrameReply.model_validate_json(answer.content)

            await asyncio.to_thread(ask)

    asyncio.run(check())
