"""The records of the wire. Nothing else knows how an answer is written."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Final, TypeAlias

import msgpack  # type: ignore[import-untyped]  # it ships no types
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from models.arrays import Floats
from models.calibration.tables import Promised
from models.manifest import Manifest, StageSpec
from models.records import Camera, CameraSource, Frame, Person, Stage, Stop
from models.skeleton import BONES, JOINT_SETS
from service.errors import PoseCascadeError
from service.parameters import SkeletonName

JSON: Final = "application/json"
MSGPACK: Final = "application/msgpack"
PROBLEM: Final = "application/problem+json"

Pixel: TypeAlias = tuple[float, float]
Point: TypeAlias = tuple[float, float, float]


class Wire(BaseModel):
    """Base of all answers: what is not written down here is not sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CameraReply(Wire):
    """Pinhole intrinsics, pixels of the frame."""

    fx: float
    fy: float
    cx: float
    cy: float
    source: CameraSource = Field(description="`request`, `exif`, or `assumed`: then depths are but a guess")

    @classmethod
    def of(cls, camera: Camera) -> "CameraReply":
        fx, fy, cx, cy = (round(value, 3) for value in (camera.fx, camera.fy, camera.cx, camera.cy))
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

    id: int | None = Field(description="stable within a stream; null for a single picture")
    score: float = Field(description="probability that this is a person and the pose lies on them")
    box_xywh_px: tuple[float, float, float, float] = Field(description="left, top, width, height")
    joints_px: list[Pixel | None] = Field(description="pixels of the frame; may lie outside of it")
    joint_scores: list[float | None] = Field(
        description="probability that the joint is in the frame and its pixel right, within a tenth of the body's size")
    joints_mm: list[Point | None] = Field(description="camera space")
    sigma_mm: list[float | None] = Field(
        description="one standard deviation of the joint's 3D error relative to the root, calibrated")
    root_mm: Point = Field(description="the pelvis, camera space")
    root_sigma_mm: float = Field(description="one standard deviation of the root's error, mostly along the view")
    expected_error_mm: float = Field(description="mean 3D error over the joints, relative to the root")
    stage: Stage = Field(description="the stage that answered")
    stop: Stop = Field(description="why there was no deeper look")
    depth_ms: float = Field(description="time spent on this person beyond the coarse stage")
    reused_frames: int = Field(description="frames since the last look of the stage that answered")
    degraded: bool = Field(description="a deeper look was due and did not come")
    velocity_mm_s: Point | None = Field(
        None, exclude_if=lambda value: value is None, description="of the root, camera space; streams only")

    @classmethod
    def of(cls, person: Person, skeleton: SkeletonName) -> "PersonReply":
        pose, joint_set = person.pose, JOINT_SETS[skeleton]

        def rows(values: Floats, decimals: int) -> list[Any]:
            picked = np.round(joint_set.of(values), decimals).tolist()
            return [row if ours >= 0 else None for row, ours in zip(picked, joint_set.source, strict=True)]

        def column(values: Floats, decimals: int) -> list[float | None]:
            return [None if row is None else row[0] for row in rows(values[:, None], decimals)]

        return cls(
            id=person.id, score=round(person.score, 4), box_xywh_px=_rounded(person.box_xywh_px, 2),
            joints_px=rows(pose.joints_px, 2), joint_scores=column(pose.joint_scores, 4),
            joints_mm=rows(pose.joints_mm, 1), sigma_mm=column(pose.sigma_mm, 1), root_mm=_rounded(pose.root_mm, 1),
            root_sigma_mm=round(pose.root_sigma_mm, 1), expected_error_mm=round(pose.expected_error_mm, 1),
            stage=person.stage, stop=person.stop, depth_ms=round(person.depth_ms, 3),
            reused_frames=person.reused_frames, degraded=person.degraded,
            velocity_mm_s=None if person.velocity_mm_s is None else _rounded(person.velocity_mm_s, 1),
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
    weights: str = Field(description="digest of all stages' weights", examples=["sha256:3f…"])

    @classmethod
    def of(cls, manifest: Manifest) -> "ModelInfo":
        return cls(name=manifest.name, version=manifest.version, weights=f"sha256:{manifest.weights_sha256}")


class FrameReply(Wire):
    """The people in one picture, best first; an empty list where there is nobody."""

    frame: FrameInfo
    skeleton: SkeletonName
    people: list[PersonReply]
    timing_ms: TimingReply
    model: ModelInfo

    @classmethod
    def of(cls, frame: Frame, *, frame_id: int = 0, skeleton: SkeletonName, timing_ms: Mapping[str, float],
           model: ModelInfo) -> "FrameReply":
        """
        Args:
            frame: what the engine says.
            frame_id: 0 for a single picture.
            skeleton: the joints to answer in.
            timing_ms: of `service.timing.accounted`.
            model: of `ModelInfo.of`.
        """
        info = FrameInfo(id=frame_id, width=frame.width, height=frame.height, camera=CameraReply.of(frame.camera))
        return cls(frame=info, skeleton=skeleton, people=[PersonReply.of(p, skeleton) for p in frame.people],
                   timing_ms=TimingReply.model_validate(timing_ms), model=model)


class Problem(Wire):
    """Every error, as RFC 9457 wants it."""

    type: str = Field(description="a name for the kind of problem", examples=["urn:posecascade:bad_image"])
    title: str
    status: int
    detail: str = Field(description="what was wanted, what came, what to do")
    code: str = Field(description="for programs; stable", examples=["bad_image"])
    request_id: str = Field(description="also in the header `X-Request-Id`")
    parameter: str | None = Field(None, exclude_if=lambda v: v is None, description="of `bad_parameter`: its name")
    value: str | None = Field(None, exclude_if=lambda v: v is None, description="of `bad_parameter`: what came")
    allowed: str | None = Field(None, exclude_if=lambda v: v is None, description="of `bad_parameter`: what may come")

    @classmethod
    def of(cls, error: PoseCascadeError, request_id: str) -> "Problem":
        return cls(type=f"urn:posecascade:{error.code}", title=error.title, status=error.status, detail=str(error),
                   code=error.code, request_id=request_id, **error.members)


class LiveReply(Wire):
    """The process works."""

    status: Annotated[str, Field(examples=["live"])]


class StageHealth(Wire):
    """One stage."""

    provider: str = Field(description="what the stage really runs on")
    failures: int = Field(description="batches that failed in a row; 0 is well")


class ReadyReply(Wire):
    """Requests are served."""

    status: Annotated[str, Field(examples=["ready"])]
    stages: dict[Stage, StageHealth]


class StageReply(Wire):
    """One stage as it is shipped and run."""

    file: str
    sha256: str
    bytes: int
    input_sizes_hw: list[tuple[int, int]] = Field(description="height, width")
    params: int
    gmacs: float = Field(description="of one item at the first input size")
    cost_ms: float = Field(description="of one more item, on the machine that the weights were calibrated on")
    batch_buckets: list[int]
    parity_mm: float = Field(description="largest difference to the network that was trained")
    provider: str = Field(description="what the stage really runs on here")
    licence: str
    origin: str

    @classmethod
    def of(cls, spec: StageSpec, provider: str) -> "StageReply":
        return cls(file=spec.file, sha256=spec.sha256, bytes=spec.bytes, input_sizes_hw=list(spec.input_sizes_hw),
                   params=spec.params, gmacs=spec.gmacs, cost_ms=spec.cost_ms, batch_buckets=list(spec.batch_buckets),
                   parity_mm=spec.parity_mm, provider=provider, licence=spec.licence, origin=spec.origin)


class PromiseReply(Wire):
    """One operating point."""

    price: float = Field(description="mm that one millisecond must remove")
    extra_error_mm: float = Field(
        description="with the stated confidence the mean extra error against everyone-to-the-deepest is at most this, "
                    "on data like the calibration set")


class PromisedReply(Wire):
    """What the promises rest on."""

    confidence: float
    loss_bound_mm: float = Field(description="a person's extra error counts up to here")
    people: int = Field(description="that the promises were calibrated on")
    units: int = Field(description="independent pictures, moments or films that they were seen in")
    judged_by: str = Field(description="what was taken for the truth")

    @classmethod
    def of(cls, promised: Promised) -> "PromisedReply":
        return cls(**asdict(promised))


class SkeletonReply(Wire):
    """The joints of an answer, in order."""

    joints: list[str]
    bones: list[tuple[int, int]] = Field(description="pairs of joints to draw a line between")
    lacking: list[str] = Field(description="joints that are always null: cascade25 has nothing like them")

    @classmethod
    def of(cls, name: str) -> "SkeletonReply":
        joint_set = JOINT_SETS[name]
        place = {ours: here for here, ours in enumerate(joint_set.source) if ours >= 0}
        bones = [(place[a], place[b]) for a, b in BONES if {a, b} <= set(place)]
        return cls(joints=list(joint_set.joints), bones=bones,
                   lacking=[joint for joint, ours in zip(joint_set.joints, joint_set.source, strict=True) if ours < 0])


class ModelReply(Wire):
    """What runs here, what it costs and what it promises."""

    model: ModelInfo
    contract: int = Field(description="of the stages' inputs and outputs")
    runtime: str
    stages: dict[Stage, StageReply]
    policies: list[str] = Field(description="values of `policy`, the default first")
    people_slots: int = Field(description="people that a frame can hold, whatever `max_people` says")
    min_score: float = Field(description="the default of `min_score`")
    balanced_price: float = Field(
        description="the price that `quality=balanced` means for a picture; in a stream a quarter of it")
    balanced_budget_ms: float = Field(
        description="the deep time that `quality=balanced` means for a picture; a frame of a stream may take twice it")
    promises: list[PromiseReply] = Field(description="what `max_extra_error_mm` chooses from, of the default policy")
    promised: PromisedReply | None = Field(description="null: nothing is promised, `max_extra_error_mm` sends everyone")
    calibrated_on: str
    skeletons: dict[SkeletonName, SkeletonReply]

    @classmethod
    def of(cls, manifest: Manifest, *, providers: Mapping[Stage, str], policies: tuple[str, ...],
           runtime: str) -> "ModelReply":
        calibration = manifest.calibration
        return cls(
            model=ModelInfo.of(manifest), contract=manifest.contract, runtime=runtime,
            stages={stage: StageReply.of(spec, providers[stage]) for stage, spec in manifest.stages.items()},
            policies=list(policies), people_slots=manifest.people_slots, min_score=manifest.min_score,
            balanced_price=calibration.balanced_price,
            balanced_budget_ms=calibration.balanced_budget_ms, calibrated_on=calibration.fitted_on,
            promises=[PromiseReply(price=p.price, extra_error_mm=p.extra_error_mm) for p in calibration.promises],
            promised=None if calibration.promised is None else PromisedReply.of(calibration.promised),
            skeletons={name: SkeletonReply.of(name) for name in JOINT_SETS},  # type: ignore[misc]  # the same names
        )


class WeightLicence(Wire):
    """Where one stage comes from and on what terms."""

    file: str
    sha256: str
    licence: str
    origin: str


class LicenceReply(Wire):
    """Terms of the program and of every weight."""

    name: str = Field(description="of the program")
    url: str
    weights: dict[Stage, WeightLicence]

    @classmethod
    def of(cls, manifest: Manifest) -> "LicenceReply":
        weights = {stage: WeightLicence(file=s.file, sha256=s.sha256, licence=s.licence, origin=s.origin)
                   for stage, s in manifest.stages.items()}
        return cls(name="Apache-2.0", url="https://www.apache.org/licenses/LICENSE-2.0", weights=weights)


class MetadataReply(Wire):
    """Versions, for a bug report."""

    name: str
    version: str
    api: str
    model: ModelInfo
    packages: dict[str, str]


def encoded(reply: Wire, media_type: str = JSON) -> bytes:
    """An answer's bytes."""
    if media_type == MSGPACK:
        packed: bytes = msgpack.packb(reply.model_dump(mode="json"))
        return packed
    return reply.model_dump_json().encode()


def _rounded(values: Floats, decimals: int) -> Any:
    """A vector as plain floats, shown no finer than it is known."""
    return np.round(np.asarray(values, np.float64), decimals).tolist()
