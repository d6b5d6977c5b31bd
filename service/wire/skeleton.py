"""A skeleton as it is written: the joints of an answer and the lines between them."""

from typing import Final

from pydantic import Field

from posecascade.models.skeleton import BONES, JOINT_NAMES, ROOT, JointSet
from posecascade.service.wire.encoding import Wire

_TRUNK: Final = tuple(
    (JOINT_NAMES.index(a), JOINT_NAMES.index(b))
    for a, b in (
        ("left_shoulder", "right_shoulder"),
        ("left_hip", "right_hip"),
        ("left_shoulder", "left_hip"),
        ("right_shoulder", "right_hip"),
    )
)
"""Drawn where a skeleton has no spine, or its limbs would float."""


class Skeleton(Wire):
    """The joints of an answer, in order."""

    name: str
    joints: tuple[str, ...]
    names: tuple[str, ...] = Field(
        description="the same as `joints`, under its first name in streams",
        json_schema_extra={"deprecated": True},
    )
    bones: tuple[tuple[int, int], ...] = Field(
        description="pairs of joints to draw a line between"
    )
    lacking: tuple[str, ...] = Field(
        description="joints that are always null: cascade25 has nothing like them"
    )

    @classmethod
    def of(cls, joint_set: JointSet) -> "Skeleton":
        """Bones of cascade25 whose two joints are there; the trunk as a frame where there is no spine."""
        index_of: dict[int, int] = {}
        lacking: list[str] = []
        for index, source in enumerate(joint_set.source):
            if source < 0:
                lacking.append(joint_set.joints[index])
            else:
                index_of[source] = index
        pairs = BONES if ROOT in index_of else (*BONES, *_TRUNK)
        bones = [
            (index_of[a], index_of[b])
            for a, b in pairs
            if a in index_of and b in index_of
        ]
        return cls(
            name=joint_set.name,
            joints=joint_set.joints,
            names=joint_set.joints,
            bones=tuple(bones),
            lacking=tuple(lacking),
        )
