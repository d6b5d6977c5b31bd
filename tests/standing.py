"""A standing person in camera space, exact in 2D and 3D: known truth for tests that need a body."""

import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.records import Camera, Frame, Person, Pose, Stage, Stop
from posecascade.models.skeleton import JOINT_NAMES

CAMERA = Camera(fx=600.0, fy=600.0, cx=320.0, cy=240.0)
_RIGHT_HALF_MM = {  # facing the camera: their right is the picture's left, negative x
    "pelvis": (0, 0, 0), "spine": (0, -230, 10), "neck": (0, -520, 10), "head_top": (0, -790, -10),
    "nose": (0, -640, -100), "right_eye": (-32, -670, -80), "right_ear": (-75, -650, 0),
    "right_shoulder": (-180, -500, 10), "right_elbow": (-260, -240, 10), "right_wrist": (-290, 0, -60),
    "right_hip": (-90, 0, 0), "right_knee": (-100, 410, -10), "right_ankle": (-110, 820, 20),
    "right_heel": (-110, 880, 60), "right_toe": (-130, 890, -150),
}  # fmt: skip


def standing_mm() -> Floats:
    """[25, 3] relative to the pelvis, 1.68 m tall, facing the camera."""

    def place(name: str) -> tuple[int, int, int]:
        x, y, z = _RIGHT_HALF_MM[name.replace("left_", "right_")]
        return (-x if name.startswith("left_") else x), y, z

    return np.array([place(name) for name in JOINT_NAMES], float)


def standing(
    root_mm: tuple[float, float, float] = (0, 0, 4000),
    *,
    turn_deg: float = 0,
    stage: Stage = Stage.COARSE,
    camera: Camera = CAMERA,
    sigma_mm: float = 40,
    joint_scores: Floats | None = None,
    id: int | None = None,
) -> Person:
    """The person at `root_mm`, turned about the vertical, seen by `camera`."""
    cos = np.cos(np.radians(turn_deg))
    sin = np.sin(np.radians(turn_deg))
    rel = standing_mm() @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
    at = rel + root_mm
    px = at[:, :2] / at[:, 2:] * [camera.fx, camera.fy] + [camera.cx, camera.cy]
    low = px.min(axis=0)
    high = px.max(axis=0)
    pose = Pose(
        joints_px=px,
        joint_scores=np.full(25, 0.95) if joint_scores is None else joint_scores,
        joints_rel_mm=rel,
        sigma_mm=np.full(25, float(sigma_mm)),
        root_mm=np.array(root_mm, float),
        root_sigma_mm=120.0,
    )
    return Person(
        pose, 0.9, np.concatenate([low, high - low]), stage, Stop.CONFIDENT, id=id
    )


def frame_of(
    *people: Person, width: int = 640, height: int = 480, camera: Camera = CAMERA
) -> Frame:
    return Frame(
        width,
        height,
        camera,
        people,
        {"coarse": 8.0, "route": 0.1, "refine": 3.0, "expert": 0.0, "other": 0.5},
    )
