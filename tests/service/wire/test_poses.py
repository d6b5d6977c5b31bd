"""How records are written: rounded, in the order of the skeleton, null where there is nothing to say."""

from dataclasses import replace

import msgpack
import numpy as np

from posecascade.models.records import Frame
from posecascade.models.skeleton import HALPE26, JOINT_NAMES
from posecascade.service.errors import BadParameter, Starting
from posecascade.service.wire.encoding import MSGPACK, encoded
from posecascade.service.wire.poses import FrameReply, ModelInfo, PersonReply
from posecascade.service.wire.problem import Problem
from posecascade.service.wire.timing import accounted
from tests.doubles import fake_manifest
from tests.standing import CAMERA, standing

PERSON = standing((123.456, -7.0, 4000.0), sigma_mm=33.333)


def test_camera_space_includes_the_root() -> None:
    reply = PersonReply.of(PERSON, "cascade25")

    assert reply.root_mm == (123.5, -7.0, 4000.0)
    assert reply.joints_mm[JOINT_NAMES.index("pelvis")] == reply.root_mm
    np.testing.assert_allclose(
        [row or () for row in reply.joints_mm], PERSON.pose.joints_mm, atol=0.051
    )


def test_joints_stand_in_the_order_of_the_skeleton() -> None:
    reply = PersonReply.of(PERSON, "halpe26")

    ankle = HALPE26.joints.index("left_ankle")
    np.testing.assert_allclose(
        reply.joints_px[ankle] or (),
        PERSON.pose.joints_px[JOINT_NAMES.index("left_ankle")],
        atol=0.0051,
    )
    assert reply.joints_px[HALPE26.joints.index("left_small_toe")] is None
    assert reply.sigma_mm[HALPE26.joints.index("right_small_toe")] is None


def test_velocity_is_written_in_streams_only() -> None:
    assert "velocity_mm_s" not in PersonReply.of(PERSON, "cascade25").model_dump()
    moving = replace(PERSON, id=7, velocity_mm_s=np.array([1.0, 2.0, 3.0]))
    assert PersonReply.of(moving, "cascade25").model_dump()["velocity_mm_s"] == (
        1.0,
        2.0,
        3.0,
    )


def test_both_formats_say_the_same() -> None:
    frame = Frame(640, 480, CAMERA, (PERSON,), {})
    reply = FrameReply.of(
        frame,
        frame_id=3,
        skeleton="coco17",
        timing_ms=accounted({}, 1),
        model=ModelInfo.of(fake_manifest()),
    )

    assert FrameReply.model_validate(msgpack.unpackb(encoded(reply, MSGPACK))) == reply
    assert FrameReply.model_validate_json(encoded(reply)) == reply


def test_a_problem_has_members_where_its_error_has() -> None:
    assert "parameter" not in Problem.of(Starting("soon"), "id").model_dump()
    problem = Problem.of(
        BadParameter("price", float("nan"), "a finite number >= 0"), "id"
    )
    assert (problem.parameter, problem.value, problem.allowed) == (
        "price",
        "nan",
        "a finite number >= 0",
    )
    assert problem.type == "urn:posecascade:bad_parameter"
