"""The skeleton `cascade25` and its maps to the joint sets of other data sets and networks."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from posecascade.models.arrays import Floats

_CENTRE = ("pelvis", "spine", "neck", "head_top", "nose")
_PAIRED = (
    "eye",
    "ear",
    "shoulder",
    "elbow",
    "wrist",
    "hip",
    "knee",
    "ankle",
    "heel",
    "toe",
)

JOINT_NAMES: Final = _CENTRE + tuple(
    f"{side}_{part}" for part in _PAIRED for side in ("left", "right")
)
"""The 25 joints of cascade25, in order. Left is the person's own left; toe is the big toe's tip."""

JOINTS: Final = len(JOINT_NAMES)
ROOT: Final = 0
"""The pelvis: midpoint of the hip joint centres."""

MIRROR: Final = np.array(
    [
        JOINT_NAMES.index(_other)
        for _other in (
            name.replace("left_", "\0")
            .replace("right_", "left_")
            .replace("\0", "right_")
            for name in JOINT_NAMES
        )
    ]
)
"""[25] index of each joint's counterpart when left and right change places."""

_BONE_NAMES = (
    ("pelvis", "spine"),
    ("spine", "neck"),
    ("neck", "head_top"),
    ("neck", "nose"),
    *(
        (f"{side}_{a}" if paired else a, f"{side}_{b}")
        for side in ("left", "right")
        for a, b, paired in (
            ("nose", "eye", False),
            ("eye", "ear", True),
            ("neck", "shoulder", False),
            ("shoulder", "elbow", True),
            ("elbow", "wrist", True),
            ("pelvis", "hip", False),
            ("hip", "knee", True),
            ("knee", "ankle", True),
            ("ankle", "heel", True),
            ("ankle", "toe", True),
        )
    ),
)

BONES: Final = tuple(
    (JOINT_NAMES.index(a), JOINT_NAMES.index(b)) for a, b in _BONE_NAMES
)
"""Pairs of joint indices to draw a line between, 24 of them, towards the limbs."""


@dataclass(frozen=True, slots=True)
class JointSet:
    """Another skeleton, each joint taken from cascade25."""

    name: str
    joints: tuple[str, ...]
    """Names in that skeleton's own order."""

    source: tuple[int, ...]
    """Index in cascade25 of each joint, or -1 where cascade25 has no such joint."""

    def of(self, values: Floats) -> Floats:
        """Values [..., 25, C] rearranged to [..., len(joints), C]; NaN for a joint that is lacking."""
        index = np.array(self.source)
        picked = values[..., np.maximum(index, 0), :].astype(np.float64)
        picked[..., index < 0, :] = np.nan
        return picked


def _joint_set(name: str, joints: str, **renamed: str | None) -> JointSet:
    names = tuple(joints.split())
    ours = [renamed.get(joint, joint) for joint in names]
    return JointSet(
        name,
        names,
        tuple(-1 if joint is None else JOINT_NAMES.index(joint) for joint in ours),
    )


CASCADE25: Final = JointSet("cascade25", JOINT_NAMES, tuple(range(JOINTS)))

COCO17: Final = _joint_set(
    "coco17",
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow "
    "left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle",
)
"""Hips here are joint centres; COCO's annotators mark them further out."""

H36M17: Final = _joint_set(
    "h36m17",
    "pelvis right_hip right_knee right_ankle left_hip left_knee left_ankle spine thorax nose head_top "
    "left_shoulder left_elbow left_wrist right_shoulder right_elbow right_wrist",
    thorax="neck",
)
"""Human3.6M's usual 17; its thorax is our neck."""

MUPOTS17: Final = _joint_set(
    "mupots17",
    "head_top neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist "
    "right_hip right_knee right_ankle left_hip left_knee left_ankle pelvis spine head",
    head=None,
)
"""MuPoTS-3D and MPI-INF-3DHP; the head centre is not a joint of cascade25."""

HALPE26: Final = _joint_set(
    "halpe26",
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow "
    "left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle head_top neck pelvis "
    "left_big_toe right_big_toe left_small_toe right_small_toe left_heel right_heel",
    left_big_toe="left_toe",
    right_big_toe="right_toe",
    left_small_toe=None,
    right_small_toe=None,
)

BLAZE33: Final = _joint_set(
    "blaze33",
    "nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer left_ear right_ear "
    "mouth_left mouth_right left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist "
    "left_pinky right_pinky left_index right_index left_thumb right_thumb left_hip right_hip left_knee "
    "right_knee left_ankle right_ankle left_heel right_heel left_foot_index right_foot_index",
    left_eye_inner=None,
    left_eye_outer=None,
    right_eye_inner=None,
    right_eye_outer=None,
    mouth_left=None,
    mouth_right=None,
    left_pinky=None,
    right_pinky=None,
    left_index=None,
    right_index=None,
    left_thumb=None,
    right_thumb=None,
    left_foot_index="left_toe",
    right_foot_index="right_toe",
)

JOINT_SETS: Final = {s.name: s for s in (CASCADE25, COCO17, H36M17, MUPOTS17, HALPE26)}
"""What the service can answer in; BLAZE33 is for reading, most of its joints are lacking."""
