"""The 104-bone rig: which motion-capture joint turns each bone, how its rest pose meets the T-pose, where joints sit.

Body space: metres, +x the person's left, +y up, +z forward. A pose is 23 global joint rotations relative to a T-pose
(CMU's skeleton); the mesh rests in an A-pose, so every bone carries a fixed rotation from the A-pose to the T-pose.
"""

from typing import Final, NamedTuple

import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.skeleton import JOINT_NAMES

_LEG = ("UpLeg", "Leg", "Foot", "ToeBase")
_ARM = ("Shoulder", "Arm", "ForeArm", "Hand")

MOCAP_JOINTS: Final = (
    "Hips",
    *(f"Left{part}" for part in _LEG),
    *(f"Right{part}" for part in _LEG),
    "LowerBack",
    "Spine",
    "Spine1",
    "Neck",
    "Neck1",
    "Head",
    *(f"Left{part}" for part in _ARM),
    *(f"Right{part}" for part in _ARM),
)
"""The 23 joints of a pose, in the order of the motion files."""

MOCAP: Final = {name: index for index, name in enumerate(MOCAP_JOINTS)}

MOCAP_MIRROR: Final = [
    MOCAP[name.replace("Left", "#").replace("Right", "Left").replace("#", "Right")]
    for name in MOCAP_JOINTS
]
"""[23] index of each joint's counterpart."""


class Side(NamedTuple):
    """One half of the body: its suffix on bones, its prefix on motion-capture joints, the sign of its x."""

    suffix: str
    mocap: str
    landmark: str
    sign: float


SIDES: Final = (Side("L", "Left", "l", 1.0), Side("R", "Right", "r", -1.0))

_CENTRE_SOURCE = {
    "pelvis": "upperleg01.L+upperleg01.R",
    "spine": "spine02",
    "neck": "neck01",
    "head_top": "@head_top",
    "nose": "@nose",
}
_PAIRED_SOURCE = {
    "eye": "eye.{L}",
    "ear": "@ear_{l}",
    "shoulder": "upperarm01.{L}",
    "elbow": "lowerarm01.{L}",
    "wrist": "wrist.{L}",
    "hip": "upperleg01.{L}",
    "knee": "lowerleg01.{L}",
    "ankle": "foot.{L}",
    "heel": "@heel_{l}",
    "toe": "@toe_{l}",
}


def _source(joint: str) -> str:
    if joint in _CENTRE_SOURCE:
        return _CENTRE_SOURCE[joint]
    side, part = joint.split("_")
    return _PAIRED_SOURCE[part].format(L=side[0].upper(), l=side[0])


JOINT_SOURCES: Final = tuple(map(_source, JOINT_NAMES))
"""Where each joint of cascade25 comes from: the head of a bone, a skin landmark (`@`), or the mean of several (`+`)."""

EXTRA_SOURCES: Final = ("spine01", "@ear_l+@ear_r", "finger2-1.L", "finger2-1.R")
"""Chest, head centre and the two index knuckles, for other joint sets."""

_CENTRE_DRIVERS = {
    "root": "Hips",
    "pelvis.L": "Hips",
    "pelvis.R": "Hips",
    "spine05": "LowerBack",
    "spine04": "LowerBack/Spine",
    "spine03": "Spine",
    "spine02": "Spine/Spine1",
    "spine01": "Spine1",
    "neck01": "Neck",
    "neck02": "Neck/Neck1",
    "neck03": "Neck1",
    "head": "Head",
    "eye.L": "Head",
    "eye.R": "Head",
}
_SIDE_DRIVERS = {
    "clavicle": "Shoulder",
    "shoulder01": "Shoulder/Arm",
    "upperarm01": "Arm/half",
    "upperarm02": "Arm",
    "lowerarm01": "ForeArm",
    "lowerarm02": "ForeArm/half",
    "wrist": "Hand",
    "metacarpal": "Hand",
    "upperleg01": "UpLeg/half",
    "upperleg02": "UpLeg",
    "lowerleg01": "Leg",
    "lowerleg02": "Leg/half",
    "foot": "Foot",
    "toe": "ToeBase",
}


def bone_driver(bone: str) -> str:
    """Name of the rotation that turns a bone; `body.py` computes those with a slash and the finger joints."""
    if bone in _CENTRE_DRIVERS:
        return _CENTRE_DRIVERS[bone]
    part, suffix = bone.split(".")
    side = "Left" if suffix == "L" else "Right"
    if part.startswith("finger"):
        finger, phalanx = part.removeprefix("finger").split("-")
        return f"{side}{'Thumb' if finger == '1' else 'Finger'}{phalanx}"
    return side + next(
        driver for name, driver in _SIDE_DRIVERS.items() if part.startswith(name)
    )


def _least_rotation(a: Floats, b: Floats) -> Floats:
    """[3, 3] the smallest rotation that takes direction `a` to direction `b` (Rodrigues)."""
    a = a / np.linalg.norm(a)
    b = b / np.linalg.norm(b)
    x, y, z = np.cross(a, b)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + cross + cross @ cross / (1 + float(a @ b))


def rest_to_t_pose(bones: tuple[str, ...], heads_m: Floats) -> Floats:
    """[B, 3, 3] rotation of every bone from the resting A-pose to the T-pose.

    Args:
        bones: B names.
        heads_m: [B, 3] where the bones of the mean body begin, at rest.
    """
    index = {name: i for i, name in enumerate(bones)}
    turned = np.tile(np.eye(3), (len(bones), 1, 1))
    for side in SIDES:
        _straighten_arm(turned, index, heads_m, side)
        _straighten_leg(turned, index, heads_m, side)
    return turned


def _chain(
    index: dict[str, int], heads_m: Floats, side: Side, a: str, b: str
) -> Floats:
    return heads_m[index[f"{b}.{side.suffix}"]] - heads_m[index[f"{a}.{side.suffix}"]]


def _assign(
    turned: Floats,
    index: dict[str, int],
    side: Side,
    prefixes: tuple[str, ...],
    value: Floats,
) -> None:
    for name, i in index.items():
        if name.endswith("." + side.suffix) and name.startswith(prefixes):
            turned[i] = value


def _straighten_arm(
    turned: Floats, index: dict[str, int], heads_m: Floats, side: Side
) -> None:
    """Upper arm, forearm and hand in turn, each brought to point sideways after the ones before it."""
    total = np.eye(3)
    outwards = np.array([side.sign, 0, 0])
    for a, b, bones in (
        ("upperarm01", "lowerarm01", ("upperarm",)),
        ("lowerarm01", "wrist", ("lowerarm",)),
        ("wrist", "finger3-1", ("wrist", "finger", "metacarpal")),
    ):
        total = (
            _least_rotation(total @ _chain(index, heads_m, side, a, b), outwards)
            @ total
        )
        _assign(turned, index, side, bones, total)


def _straighten_leg(
    turned: Floats, index: dict[str, int], heads_m: Floats, side: Side
) -> None:
    """Thigh and shin brought to hang straight down; the foot to point forward, level as it rests."""
    total = np.eye(3)
    down = np.array([0, -1.0, 0])
    for a, b, bones in (
        ("upperleg01", "lowerleg01", ("upperleg",)),
        ("lowerleg01", "foot", ("lowerleg",)),
    ):
        total = (
            _least_rotation(total @ _chain(index, heads_m, side, a, b), down) @ total
        )
        _assign(turned, index, side, bones, total)
    forward = _chain(index, heads_m, side, "foot", "toe2-1") * np.array([1, 0, 1])
    _assign(
        turned,
        index,
        side,
        ("toe", "foot"),
        _least_rotation(forward, np.array([0, 0, 1.0])),
    )
