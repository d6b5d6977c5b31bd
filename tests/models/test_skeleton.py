"""Facts about the joints and the other skeletons said in them."""

import numpy as np
import pytest

from posecascade.models.skeleton import (
    BLAZE33,
    BONES,
    JOINT_NAMES,
    JOINT_SETS,
    JOINTS,
    MIRROR,
    ROOT,
)
from tests.standing import standing_mm


def test_mirroring_swaps_left_and_right_by_name_and_leaves_the_middle():
    for name, other in zip(JOINT_NAMES, MIRROR, strict=True):
        side, _, part = name.partition("_")
        want = {"left": f"right_{part}", "right": f"left_{part}"}.get(side, name)
        assert JOINT_NAMES[other] == want


def test_mirroring_twice_changes_nothing():
    assert MIRROR[MIRROR].tolist() == list(range(JOINTS))


def test_a_symmetric_body_is_its_own_mirror_image():
    body = standing_mm()

    np.testing.assert_array_equal(body[MIRROR] * [-1, 1, 1], body)


def test_the_bones_span_one_tree_from_the_pelvis():
    parents = {child: parent for parent, child in BONES}

    assert len(BONES) == len(parents) == JOINTS - 1
    for joint in range(JOINTS):
        steps = 0
        while joint != ROOT:
            joint = parents[joint]
            steps = steps + 1
            assert steps < JOINTS


def test_the_bones_are_the_same_on_both_sides():
    mirrored = {(int(MIRROR[a]), int(MIRROR[b])) for a, b in BONES}

    assert mirrored == set(BONES)


@pytest.mark.parametrize(
    "skeleton", [*JOINT_SETS.values(), BLAZE33], ids=lambda s: s.name
)
def test_another_skeleton_takes_the_joints_of_the_same_name_and_nan_for_the_rest(
    skeleton,
):
    values = np.stack([np.arange(JOINTS), np.arange(JOINTS)], -1)
    picked = skeleton.of(np.stack([values, values + 100]))

    assert picked.shape == (2, len(skeleton.joints), 2)
    for column, (name, source) in enumerate(
        zip(skeleton.joints, skeleton.source, strict=True)
    ):
        if source == -1:
            assert np.isnan(picked[:, column]).all()
        else:
            assert picked[0, column].tolist() == [source, source]
            assert picked[1, column].tolist() == [source + 100, source + 100]
            if name in JOINT_NAMES:
                assert JOINT_NAMES[source] == name
            assert name.startswith("left_") == JOINT_NAMES[source].startswith("left_")
