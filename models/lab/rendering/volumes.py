"""A stick figure and the spheres round it: quick volumes, so that people do not walk into each other."""

from typing import Final

import numpy as np

from posecascade.models.arrays import Floats
from posecascade.models.lab.rendering.body import BodyModel
from posecascade.models.lab.rendering.quaternions import rotate
from posecascade.models.lab.rendering.rig import MOCAP, SIDES, Side

_CENTRE: Final = {"pelvis": 0.17, "mid": 0.16, "neck": 0.13, "head": 0.14}
_PAIRED: Final = (
    ("shoulder", 0.11),
    ("elbow", 0.08),
    ("hand", 0.10),
    ("knee", 0.10),
    ("ankle", 0.08),
    ("toe", 0.07),
    ("thigh", 0.12),
    ("shin", 0.09),
    ("fore", 0.08),
)
SPHERES: Final = _CENTRE | {
    f"{side.landmark}_{part}": radius for part, radius in _PAIRED for side in SIDES
}
"""Radius in metres of each: skin, cloth and a little air."""

RADIUS_M: Final = np.array(list(SPHERES.values()), np.float32)

_MIDWAY: Final = {
    "thigh": ("hip", "knee"),
    "shin": ("knee", "ankle"),
    "fore": ("elbow", "wrist"),
}
_ADULT: Final = 0.62
"""Age in the shape space from which bodies count towards the mean height."""


class StickFigure:
    """Forward kinematics of the mean body's stick figure."""

    def __init__(self, body: BodyModel) -> None:
        self._heads = body.heads[0].cpu().numpy()
        self._body = body
        self._turns = body.rest_to_t.cpu().numpy()
        self.height_m = float(body.height_m[body.age > _ADULT].mean())
        self._chain = self._trunk()
        for side in SIDES:
            self._chain += self._leg(side) + self._arm(side)

    def _head(self, bone: str) -> Floats:
        return self._heads[self._body.bone[bone]]

    def _trunk(self) -> list[tuple[str, str, str, Floats]]:
        """Rows of: sphere, the one it hangs on, the joint that turns it, where it is from there in the T-pose."""
        self._pelvis = (self._head("upperleg01.L") + self._head("upperleg01.R")) / 2
        middle = self._head("spine03")
        return [
            ("mid", "pelvis", "LowerBack", middle - self._pelvis),
            ("neck", "mid", "Spine1", self._head("neck01") - middle),
            ("head", "neck", "Head", np.array([0, 0.17, 0.03])),
        ]

    def _bone(self, a: str, b: str, side: Side) -> Floats:
        """From the head of one bone to the head of the next, in the T-pose."""
        offset = self._head(f"{b}.{side.suffix}") - self._head(f"{a}.{side.suffix}")
        return self._turns[self._body.bone[f"{a}.{side.suffix}"]] @ offset

    def _leg(self, side: Side) -> list[tuple[str, str, str, Floats]]:
        own = side.landmark
        hip = self._head(f"upperleg01.{side.suffix}")
        foot = f"foot.{side.suffix}"
        tip = self._body.landmarks[0, self._body.landmark[f"toe_{own}"]].cpu().numpy()
        toe = self._turns[self._body.bone[foot]] @ (tip - self._head(foot))
        return [
            (f"{own}_hip", "pelvis", "Hips", hip - self._pelvis),
            (
                f"{own}_knee",
                f"{own}_hip",
                side.mocap + "UpLeg",
                self._bone("upperleg01", "lowerleg01", side),
            ),
            (
                f"{own}_ankle",
                f"{own}_knee",
                side.mocap + "Leg",
                self._bone("lowerleg01", "foot", side),
            ),
            (f"{own}_toe", f"{own}_ankle", side.mocap + "Foot", toe),
        ]

    def _arm(self, side: Side) -> list[tuple[str, str, str, Floats]]:
        own = side.landmark
        shoulder = self._head(f"upperarm01.{side.suffix}")
        return [
            (f"{own}_shoulder", "mid", "Spine1", shoulder - self._head("spine03")),
            (
                f"{own}_elbow",
                f"{own}_shoulder",
                side.mocap + "Arm",
                self._bone("upperarm01", "lowerarm01", side),
            ),
            (
                f"{own}_wrist",
                f"{own}_elbow",
                side.mocap + "ForeArm",
                self._bone("lowerarm01", "wrist", side),
            ),
            (
                f"{own}_hand",
                f"{own}_wrist",
                side.mocap + "Hand",
                np.array([side.sign * 0.09, 0, 0]),
            ),
        ]

    def __call__(self, quat: Floats) -> Floats:
        """[N, 22, 3] sphere centres about the pelvis for poses [N, 23, 4], of a person of `height_m`."""
        placed: dict[str, Floats] = {"pelvis": np.zeros((len(quat), 3), np.float32)}
        for name, parent, turned_by, offset in self._chain:
            placed[name] = placed[parent] + rotate(
                quat[:, MOCAP[turned_by]], offset.astype(np.float32)
            )
        for side in SIDES:
            for name, (a, b) in _MIDWAY.items():
                placed[f"{side.landmark}_{name}"] = (
                    placed[f"{side.landmark}_{a}"] + placed[f"{side.landmark}_{b}"]
                ) / 2
        return np.stack([placed[name] for name in SPHERES], 1)
