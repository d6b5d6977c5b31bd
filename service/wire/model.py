"""What runs here as it is written: health, stages, operating points, licences, versions."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Final, get_args

from pydantic import Field

from posecascade.models.calibration import GuaranteeBasis
from posecascade.models.manifest import Manifest, StageSpec
from posecascade.models.records import Stage
from posecascade.models.skeleton import JOINT_SETS
from posecascade.service.http.parameters import SkeletonName
from posecascade.service.wire.encoding import Wire
from posecascade.service.wire.poses import ModelInfo
from posecascade.service.wire.skeleton import Skeleton

SKELETONS: Final[tuple[SkeletonName, ...]] = get_args(SkeletonName)


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
    cost_ms: float = Field(
        description="of one more item, on the machine that the weights were calibrated on"
    )
    batch_buckets: list[int]
    parity_mm: float = Field(
        description="largest difference to the network that was trained"
    )
    provider: str = Field(description="what the stage really runs on here")
    licence: str
    origin: str

    @classmethod
    def of(cls, spec: StageSpec, provider: str) -> "StageReply":
        return cls(
            file=spec.file,
            sha256=spec.sha256,
            bytes=spec.bytes,
            input_sizes_hw=list(spec.input_sizes_hw),
            params=spec.params,
            gmacs=spec.gmacs,
            cost_ms=spec.cost_ms,
            batch_buckets=list(spec.batch_buckets),
            parity_mm=spec.parity_mm,
            provider=provider,
            licence=spec.licence,
            origin=spec.origin,
        )


class OperatingPointReply(Wire):
    """One operating point."""

    price: float = Field(description="mm that one millisecond must remove")
    extra_error_mm: float = Field(
        description="with the stated confidence the mean extra error against everyone-to-the-deepest is at most this, "
        "on data like the calibration set"
    )


class GuaranteeReply(Wire):
    """The basis of the guarantee."""

    confidence: float
    loss_bound_mm: float = Field(description="a person's extra error counts up to here")
    people: int = Field(description="that the promises were calibrated on")
    units: int = Field(
        description="independent pictures, moments or films that they were seen in"
    )
    judged_by: str = Field(description="what was taken for the truth")

    @classmethod
    def of(cls, promised: GuaranteeBasis) -> "GuaranteeReply":
        return cls(**asdict(promised))


class ModelReply(Wire):
    """What runs here, what it costs and what it guarantees."""

    model: ModelInfo
    contract: int = Field(description="of the stages' inputs and outputs")
    runtime: str
    stages: dict[Stage, StageReply]
    policies: list[str] = Field(description="values of `policy`, the default first")
    people_slots: int = Field(
        description="people that a frame can hold, whatever `max_people` says"
    )
    min_score: float = Field(description="the default of `min_score`")
    balanced_price: float = Field(
        description="the price that `quality=balanced` means for a picture; in a stream a quarter of it"
    )
    balanced_budget_ms: float = Field(
        description="the deep time that `quality=balanced` means for a picture; a frame of a stream may take twice it"
    )
    promises: list[OperatingPointReply] = Field(
        description="what `max_extra_error_mm` chooses from, of the default policy"
    )
    promised: GuaranteeReply | None = Field(
        description="null: nothing is promised, `max_extra_error_mm` sends everyone"
    )
    calibrated_on: str
    skeletons: dict[SkeletonName, Skeleton]

    @classmethod
    def of(
        cls,
        manifest: Manifest,
        *,
        providers: Mapping[Stage, str],
        policies: tuple[str, ...],
        runtime: str,
    ) -> "ModelReply":
        calibration = manifest.calibration
        return cls(
            model=ModelInfo.of(manifest),
            contract=manifest.contract,
            runtime=runtime,
            stages={
                stage: StageReply.of(spec, providers[stage])
                for stage, spec in manifest.stages.items()
            },
            policies=list(policies),
            people_slots=manifest.people_slots,
            min_score=manifest.min_score,
            balanced_price=calibration.balanced_price,
            balanced_budget_ms=calibration.balanced_budget_ms,
            calibrated_on=calibration.fitted_on,
            promises=[
                OperatingPointReply(price=p.price, extra_error_mm=p.extra_error_mm)
                for p in calibration.operating_points
            ],
            promised=None
            if calibration.guarantee is None
            else GuaranteeReply.of(calibration.guarantee),
            skeletons={name: Skeleton.of(JOINT_SETS[name]) for name in SKELETONS},
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
        weights = {
            stage: WeightLicence(
                file=s.file, sha256=s.sha256, licence=s.licence, origin=s.origin
            )
            for stage, s in manifest.stages.items()
        }
        return cls(
            name="Apache-2.0",
            url="https://www.apache.org/licenses/LICENSE-2.0",
            weights=weights,
        )


class MetadataReply(Wire):
    """Versions, for a bug report."""

    name: str
    version: str
    api: str
    model: ModelInfo
    packages: dict[str, str]
