"""Bodies: a linear shape space, motion retargeted to its rig, skinning. Batched over people, in torch."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posecascade.models.arrays import Floats
from posecascade.models.lab.rendering import rotations
from posecascade.models.lab.rendering.rig import (
    EXTRA_SOURCES,
    JOINT_SOURCES,
    MOCAP,
    SIDES,
    Side,
    bone_driver,
    rest_to_t_pose,
)

_RELAXED_CURL_RAD = 0.35
_THUMB_SHARE = 0.3
"""A thumb bends a third of what the fingers bend."""


@dataclass(frozen=True, slots=True, eq=False)
class SkinWeights:
    """How vertices hang on the bones."""

    bone: Tensor
    """[V, 4] indices of bones."""

    weight: Tensor
    """[V, 4], each row adding up to one."""

    def __call__(self, transforms: Tensor, vertices_m: Tensor) -> Tensor:
        """[P, V, 3] rest vertices moved by bone transforms [P, B, 3, 4] (linear blend skinning)."""
        blended = (transforms[:, self.bone] * self.weight[..., None, None]).sum(
            2
        )  # [P, V, 3, 4]
        return (blended[..., :3] @ vertices_m[..., None])[..., 0] + blended[..., 3]


@dataclass(frozen=True, slots=True, eq=False)
class PosedBodies:
    """P people in their poses, body space moved to where they stand."""

    transforms: Tensor
    """[P, 104, 3, 4] from rest to pose, for skinning."""

    shape: Tensor
    """[P, 21] shape coefficients after a leading one, for `morph`."""

    joints_m: Tensor
    """[P, 25, 3] cascade25."""

    extra_m: Tensor
    """[P, 4, 3] chest, head centre, left and right index knuckle."""


def morph(basis: Tensor, shape: Tensor) -> Tensor:
    """Points [P, V, 3] of a linear shape space [1 + 20, V, 3] at coefficients [P, 1 + 20]."""
    return torch.einsum("pk,kvc->pvc", shape, basis)


class BodyModel:
    """Owns the shape space, the rig and the skin landmarks of `people.npz`, on one device."""

    def __init__(self, path: Path, device: torch.device | str = "cpu") -> None:
        with np.load(path) as file:
            stored: dict[str, NDArray[Any]] = {
                name: file[name] for name in file.files if "/" not in name
            }
        self.device = torch.device(device)
        self.bones = tuple(map(str, stored["bone_names"]))
        self.bone = {name: index for index, name in enumerate(self.bones)}
        self.heads = self._floats(stored["heads"])
        self.coefficients = self._floats(stored["coef"])
        """[420, 20] one row a body."""
        self.height_m: Floats = stored["height_m"].astype(np.float32)
        """[420] standing height."""
        self.sex: Floats = stored["phenotype"].astype(np.float32)[:, 0]
        """[420] from 0 to 1; above a half wears the female mesh and clothes."""
        self.age: Floats = stored["phenotype"].astype(np.float32)[:, 1]
        """[420] 0 newborn, 1/3 child, 2/3 young adult, 1 old."""
        self.landmark = {
            str(name): index for index, name in enumerate(stored["lm_names"])
        }
        self.landmarks = self._floats(stored["lm_pos"])
        self._landmark_skin = SkinWeights(
            self._indices(stored["lm_bone"]), self._floats(stored["lm_weight"])
        )
        self._link(stored["bone_parents"].astype(int))

    def _floats(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(self.device)

    def _indices(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(values.astype(np.int64)).to(self.device)

    def _link(self, parents: NDArray[np.int_]) -> None:
        """Orders the bones by depth and finds what turns each."""
        depth = np.zeros(len(parents), int)
        for bone, parent in enumerate(parents):
            depth[bone] = 0 if parent < 0 else depth[parent] + 1
        self._levels = [
            self._indices(np.flatnonzero(depth == level))
            for level in range(1, depth.max() + 1)
        ]
        self._parent = self._indices(np.maximum(parents, 0))
        self._drivers = tuple(dict.fromkeys(map(bone_driver, self.bones)))
        self._driver = self._indices(
            np.array([self._drivers.index(bone_driver(name)) for name in self.bones])
        )
        self.rest_to_t = self._floats(
            rest_to_t_pose(self.bones, self.heads[0].cpu().numpy())
        )

    def _bone_rotations(self, q: Tensor, curl_rad: Tensor) -> Tensor:
        """Poses [P, 23, 4] and finger bends [P, 2] -> rotations of all bones [P, 104, 3, 3]."""
        turned = {name: q[:, index] for name, index in MOCAP.items()}
        turned |= _spine(turned)
        for side, bend in zip(SIDES, curl_rad.unbind(1), strict=True):
            turned |= (
                _arm(turned, side) | _leg(turned, side) | _fingers(turned, side, bend)
            )
        columns = torch.stack(
            [turned[name] for name in self._drivers], 1
        )  # [P, drivers, 4]
        return rotations.to_matrix(columns)[:, self._driver] @ self.rest_to_t

    def pose(
        self, coefficients: Tensor, q: Tensor, curl_rad: Tensor | None = None
    ) -> PosedBodies:
        """Bodies [P, 20] in poses [P, 23, 4]; `curl_rad` [P, 2] bends the fingers of each hand (None: relaxed)."""
        if curl_rad is None:
            curl_rad = q.new_full((len(q), 2), _RELAXED_CURL_RAD)
        shape = torch.cat([torch.ones_like(coefficients[:, :1]), coefficients], 1)
        rest = morph(self.heads, shape)
        turn = self._bone_rotations(q, curl_rad)
        heads = rest.clone()
        for bones in self._levels:
            parent = self._parent[bones]
            offset = (rest[:, bones] - rest[:, parent])[..., None]
            heads[:, bones] = heads[:, parent] + (turn[:, parent] @ offset)[..., 0]
        transforms = torch.cat(
            [turn, (heads - (turn @ rest[..., None])[..., 0])[..., None]], -1
        )
        skin = self._landmark_skin(transforms, morph(self.landmarks, shape))
        read = partial(self._points, heads=heads, skin=skin)
        return PosedBodies(transforms, shape, read(JOINT_SOURCES), read(EXTRA_SOURCES))

    def _points(
        self, sources: tuple[str, ...], *, heads: Tensor, skin: Tensor
    ) -> Tensor:
        """[P, len(sources), 3] bone heads, landmarks and their means."""

        def one(name: str) -> Tensor:
            return (
                skin[:, self.landmark[name[1:]]]
                if name[0] == "@"
                else heads[:, self.bone[name]]
            )

        return torch.stack(
            [
                torch.stack([one(name) for name in source.split("+")]).mean(0)
                for source in sources
            ],
            1,
        )


Turns = dict[str, Tensor]
"""Rotations [P, 4] by name: those of the motion capture, and those that are derived from them."""


def _spine(turned: Turns) -> Turns:
    """The bones between two joints of the capture's spine."""
    between = {
        ("LowerBack", "Spine"): 0.5,
        ("Spine", "Spine1"): 0.6,
        ("Neck", "Neck1"): 0.5,
    }
    return {
        f"{a}/{b}": rotations.blend(turned[a], turned[b], share)
        for (a, b), share in between.items()
    }


def _arm(turned: Turns, side: Side) -> Turns:
    """Helper bones share the roll of arm and hand, so that neither shoulder nor wrist is wrung."""
    clavicle, arm, forearm, hand = (
        turned[side.mocap + part] for part in ("Shoulder", "Arm", "ForeArm", "Hand")
    )
    half_arm = rotations.half_twisted(clavicle, arm, 0)
    return {
        f"{side.mocap}Arm/half": half_arm,
        f"{side.mocap}Shoulder/Arm": rotations.blend(clavicle, half_arm, 0.25),
        f"{side.mocap}ForeArm/half": rotations.half_twisted(
            forearm, hand, 0, swings=False
        ),
    }


def _leg(turned: Turns, side: Side) -> Turns:
    thigh, shin, foot = (turned[side.mocap + part] for part in ("UpLeg", "Leg", "Foot"))
    return {
        f"{side.mocap}UpLeg/half": rotations.half_twisted(turned["Hips"], thigh, 1),
        f"{side.mocap}Leg/half": rotations.half_twisted(shin, foot, 1, swings=False),
    }


def _fingers(turned: Turns, side: Side, curl_rad: Tensor) -> Turns:
    """Three phalanges, each bending as much as the one before it."""
    hand = turned[side.mocap + "Hand"]
    return {
        f"{side.mocap}{finger}{phalanx}": rotations.multiply(
            hand, rotations.about_axis(2, -side.sign * share * phalanx * curl_rad)
        )
        for phalanx in (1, 2, 3)
        for finger, share in (("Finger", 1.0), ("Thumb", _THUMB_SHARE))
    }
