import numpy as np

from posecascade.models.lab.rendering import poses
from posecascade.models.lab.rendering.quaternions import about_axis
from posecascade.models.lab.rendering.rig import MOCAP_JOINTS


def _standing(yaw_rad: float) -> np.ndarray:
    return np.tile(
        about_axis(1, np.array([yaw_rad]))[:, None], (1, len(MOCAP_JOINTS), 1)
    )


def test_mirroring_twice_changes_nothing():
    pose = (
        np.random.default_rng(0)
        .normal(size=(3, len(MOCAP_JOINTS), 4))
        .astype(np.float32)
    )
    everybody = np.ones(3, bool)

    assert np.array_equal(
        poses.mirrored(poses.mirrored(pose, everybody), everybody), pose
    )


def test_who_turns_heads_further_round():
    turned = poses.turned(_standing(0.3), np.array([0.5]))

    np.testing.assert_allclose(poses.heading(turned), 0.8, atol=1e-6)


def test_who_sits_down_still_faces_the_same_way():
    sitting = poses.seated(_standing(1.1), np.random.default_rng(0))

    np.testing.assert_allclose(poses.heading(sitting), 1.1, atol=0.05)
