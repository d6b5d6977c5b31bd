"""A frame and its people as they are written."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from pydantic import Field

from posecascade.models.arrays import Floats
from posecascade.models.manifest import Manifest
from posecascade.models.records import Camera, CameraSource, Frame, Person, Stage, Stop
from posecascade.models.skeleton import JOINT_SETS
from posecascade.service.http.parameters import SkeletonName
from posecascade.service.wire.encoding import Wire

Pixel: TypeAlias = tuple[float, float]
Point: TypeAlias = tuple[float, float, float]


class CameraReply(Wire):
    """Pinhole intrinsics, pixels of the frame."""

    fx: float
    fy: float
    cx: float
    cy: float
    source: CameraSource = Field(
        description="`request`, `exif`, or `assumed`: then depths are but a guess"
    )

    @classmethod
    def of(cls, camera: Camera) -> "CameraReply":
        fx, fy, cx, cy = (
            round(value, 3) for value in (camera.fx, camera.fy, camera.cx, camera.cy)
        )
        return cls(fx=fx, fy=fy, cx=cx, cy=cy, source=camera.source)


class FrameInfo(Wire):
    """The picture that was answered."""

    id: int = Field(description="0 for a single picture; counts up in a stream")
    width: int = Field(description="pixels, EXIF orientation applied")
    height: int = Field(description="pixels, EXIF orientation applied")
    camera: CameraReply


class PersonReply(Wire):
    """One person. Camera space: millimetres, x right, y down, z forward. A joint that the skeleton has and cascade25
    lacks is null. The centre of the top-left pixel is (0.5, 0.5)."""

    id: int | None = Field(
        description="stable within a stream; null for a single picture"
    )
    score: float = Field(
        description="probability that this is a person and the pose lies on them"
    )
    box_xywh_px: tuple[float, float, float, float] = Field(
        description="left, top, width, height"
    )
    joints_px: list[Pixel | None] = Field(
        description="pixels of the frame; may lie outside of it"
    )
    joint_scores: list[float | None] = Field(
        description="probability that the joint is in the frame and its pixel right, within a tenth of the body's size"
    )
    joints_mm: list[Point | None] = Field(description="camera space")
    sigma_mm: list[float | None] = Field(
        description="one standard deviation of the joint's 3D error relative to the root, calibrated"
    )
    root_mm: Point = Field(description="the pelvis, camera space")
    root_sigma_mm: float = Field(
        description="one standard deviation of the root's error, mostly along the view"
    )
    expected_error_mm: float = Field(
        description="mean 3D error over the joints, relative to the root"
    )
    stage: Stage = Field(description="the stage that answered")
    stop: Stop = Field(description="why the person went no deeper")
    depth_ms: float = Field(
        description="time spent on this person beyond the coarse stage"
    )
    reused_frames: int = Field(
        description="frames since the last pass of the stage that answered"
    )
    degraded: bool = Field(description="a deeper stage was due and did not run")
    velocity_mm_s: Point | None = Field(
        None,
        exclude_if=lambda value: value is None,
        description="of the root, camera space; streams only",
    )

    @classmethod
    def of(cls, person: Person, skeleton: SkeletonName) -> "PersonReply":
        pose = person.pose
        joint_set = JOINT_SETS[skeleton]

        def rows(values: Floats, decimals: int) -> list[Any]:
            picked = np.round(joint_set.of(values), decimals).tolist()
            return [
                row if ours >= 0 else None
                for row, ours in zip(picked, joint_set.source, strict=True)
            ]

        def column(values: Floats, decimals: int) -> list[float | None]:
            return [
                None if row is None else row[0]
                for row in rows(values[:, None], decimals)
            ]

        return cls(
            id=person.id,
            score=round(person.score, 4),
            box_xywh_px=_rounded(person.box_xywh_px, 2),
            joints_px=rows(pose.joints_px, 2),
            joint_scores=column(pose.joint_scores, 4),
            joints_mm=rows(pose.joints_mm, 1),
            sigma_mm=column(pose.sigma_mm, 1),
            root_mm=_rounded(pose.root_mm, 1),
            root_sigma_mm=round(pose.root_sigma_mm, 1),
            expected_error_mm=round(pose.expected_error_mm, 1),
            stage=person.stage,
            stop=person.stop,
            depth_ms=round(person.depth_ms, 3),
            reused_frames=person.reused_frames,
            degraded=person.degraded,
            velocity_mm_s=None
            if person.velocity_mm_s is None
            else _rounded(person.velocity_mm_s, 1),
        )


class TimingReply(Wire):
    """Milliseconds. The parts add up to `total`, which runs from the last byte received to the answer."""

    decode: float
    queue: float = Field(description="waiting for a thread or a stage")
    coarse: float
    route: float
    refine: float
    expert: float
    other: float
    total: float


class ModelInfo(Wire):
    """What answered."""

    name: str
    version: str
    weights: str = Field(
        description="digest of all stages' weights", examples=["sha256:3f…"]
    )

    @classmethod
    def of(cls, manifest: Manifest) -> "ModelInfo":
        return cls(
            name=manifest.name,
            version=manifest.version,
            weights=f"sha256:{manifest.weights_sha256}",
        )


class FrameReply(Wire):
    """The people in one picture, best first; an empty list where there is nobody."""

    frame: FrameInfo
    skeleton: SkeletonName
    people: list[PersonReply]
    timing_ms: TimingReply
    model: ModelInfo

    @classmethod
    def of(
        cls,
        frame: Frame,
        *,
        frame_id: int = 0,
        skeleton: SkeletonName,
        timing_ms: Mapping[str, float],
        model: ModelInfo,
    ) -> "FrameReply":
        """
        Args:
            frame: of the engine.
            frame_id: 0 for a single picture.
            skeleton: the joints to answer in.
            timing_ms: of `posecascade.service.wire.timing.accounted`.
            model: of `ModelInfo.of`.
        """
        info = FrameInfo(
            id=frame_id,
            width=frame.width,
            height=frame.height,
            camera=CameraReply.of(frame.camera),
        )
        return cls(
            frame=info,
            skeleton=skeleton,
            people=[PersonReply.of(p, skeleton) for p in frame.people],
            timing_ms=TimingReply.model_validate(timing_ms),
            model=model,
        )


def _rounded(values: Floats, decimals: int) -> Any:
    """A vector as plain floats, shown no finer than it is known."""
    return np.round(np.asarray(values, np.float64), decimals).tolist()
