"""Facts about skeletons as they are written."""

import pytest

from posecascade.models.skeleton import BONES, CASCADE25, COCO17, JOINT_SETS, JointSet
from posecascade.service.wire.skeleton import Skeleton

every_skeleton = pytest.mark.parametrize(
    "joint_set", JOINT_SETS.values(), ids=JOINT_SETS
)


@every_skeleton
def test_every_joint_that_exists_is_drawn(joint_set: JointSet) -> None:
    skeleton = Skeleton.of(joint_set)
    drawn = {joint for bone in skeleton.bones for joint in bone}
    existing = {index for index, source in enumerate(joint_set.source) if source >= 0}

    assert drawn == existing


@every_skeleton
def test_a_joint_is_lacking_or_can_be_drawn(joint_set: JointSet) -> None:
    skeleton = Skeleton.of(joint_set)
    drawn = {skeleton.joints[joint] for bone in skeleton.bones for joint in bone}

    assert drawn.isdisjoint(skeleton.lacking)
    assert drawn | set(skeleton.lacking) == set(skeleton.joints)


@every_skeleton
def test_the_older_name_of_the_joints_says_the_same(joint_set: JointSet) -> None:
    skeleton = Skeleton.of(joint_set)

    assert skeleton.names == skeleton.joints == joint_set.joints


def test_cascade25_has_its_own_bones_and_no_trunk() -> None:
    assert Skeleton.of(CASCADE25).bones == BONES


def test_a_skeleton_without_a_spine_has_a_trunk() -> None:
    skeleton = Skeleton.of(COCO17)
    bones = [{skeleton.joints[a], skeleton.joints[b]} for a, b in skeleton.bones]

    assert {"left_shoulder", "left_hip"} in bones
    assert {"left_shoulder", "right_shoulder"} in bones
