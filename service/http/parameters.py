"""Settings of a request (query) and of a stream (query or JSON): the same names, read by the same code."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from posecascade.models.camera import assumed
from posecascade.models.options import MAX_PEOPLE, MAX_TILES, Options, Quality
from posecascade.models.records import Camera, CameraSource
from posecascade.service.errors import BadParameter

SkeletonName: TypeAlias = Literal[
    "cascade25", "coco17", "h36m17", "mupots17", "halpe26"
]
_INTRINSICS: Final = ("fx", "fy", "cx", "cy")
_CLASHES: Final = [("max_extra_error_mm", "price"), ("max_extra_error_mm", "policy")]
"""The guarantee is calibrated for the default policy alone."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """The values of a setting, as errors and the help state them."""

    text: str


def _split(value: object) -> object:
    """`x,y,w,h` as the query writes it; JSON may send the list."""
    return value.split(",") if isinstance(value, str) else value


Number: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
Region: TypeAlias = Annotated[
    tuple[Number, Number, Number, Number], BeforeValidator(_split)
]
_POSITIVE: Final = Allowed("a finite number > 0")
# Wide enough for any lens, narrow enough that float32 arithmetic on them stays finite.
_FOCAL: Final = Allowed("a number 1..1000000, in pixels")
_CENTRE: Final = Allowed("a number -1000000..1000000, in pixels")


class Parameters(BaseModel):
    """All settings of a request; a name that is not here is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quality: Annotated[Quality, Allowed(" | ".join(Quality))] = Field(
        Quality.BALANCED,
        description="`fast`: coarse only; `best`: everyone to the deepest stage",
    )
    price: Annotated[Number | None, Field(ge=0), Allowed("a finite number >= 0")] = (
        Field(
            None,
            description="mm of expected error that one more millisecond must remove; overrides `quality`",
        )
    )
    max_extra_error_mm: Annotated[Number | None, Field(gt=0), _POSITIVE] = Field(
        None,
        description="mean extra error allowed against sending everyone to the deepest; overrides `quality`",
    )
    budget_ms: Annotated[Number | None, Field(gt=0), _POSITIVE] = Field(
        None, description="time for the deeper stages of this frame"
    )
    policy: Annotated[str | None, Allowed("a policy of /v1/model")] = Field(
        None, description="a name from `/v1/model`; left out: the default policy"
    )
    max_people: Annotated[
        int, Field(ge=1, le=MAX_PEOPLE), Allowed(f"a whole number 1..{MAX_PEOPLE}")
    ] = Field(32, description="how many people to answer at most, best first")
    min_score: Annotated[Number | None, Field(ge=0, le=1), Allowed("a number 0..1")] = (
        Field(
            None,
            description="leave out people below this score; left out: the calibrated default",
        )
    )
    tiles: Annotated[
        int | None, Field(ge=0, le=MAX_TILES), Allowed(f"a whole number 0..{MAX_TILES}")
    ] = Field(
        None,
        description="tiles of a wide frame on which `coarse` may run again at a larger scale, for small people "
        "that it missed; left out: all promising ones at `best`, else none",
    )
    skeleton: Annotated[SkeletonName, Allowed(" | ".join(get_args(SkeletonName)))] = (
        Field(
            "cascade25",
            description="the joints of the answer; those that cascade25 lacks are null",
        )
    )
    fov_deg: Annotated[
        Number | None, Field(ge=1, le=179), Allowed("a number 1..179")
    ] = Field(
        None,
        description="field of view along the long side of the frame, degrees; instead of fx, fy, cx, cy",
    )
    fx: Annotated[Number | None, Field(ge=1, le=1e6), _FOCAL] = Field(
        None,
        description="focal length in pixels of the frame; together with fy, cx, cy",
    )
    fy: Annotated[Number | None, Field(ge=1, le=1e6), _FOCAL] = Field(
        None,
        description="focal length in pixels of the frame; together with fx, cx, cy",
    )
    cx: Annotated[Number | None, Field(ge=-1e6, le=1e6), _CENTRE] = Field(
        None,
        description="principal point in pixels of the frame; together with fx, fy, cy",
    )
    cy: Annotated[Number | None, Field(ge=-1e6, le=1e6), _CENTRE] = Field(
        None,
        description="principal point in pixels of the frame; together with fx, fy, cx",
    )
    reuse_target_mm: Annotated[
        Number | None, Field(ge=0), Allowed("a finite number >= 0")
    ] = Field(
        None,
        description="in a stream: mm of error, summed over frames, that a refresh must be expected to save; 0: "
        "every frame by itself; left out: as calibrated, at `best` everybody is refreshed",
    )
    region: Annotated[
        Region | None,
        Allowed("x,y,w,h in pixels of the frame, with x,y >= 0 and w,h >= 1"),
    ] = Field(
        None,
        description="x,y,w,h in pixels of the frame: detect only there",
        examples=["0,0,640,480"],
    )


def setting_help(name: str) -> str:
    """What a setting means, which values it takes and its default, for the command line."""
    field = Parameters.model_fields[name]
    allowed = [item.text for item in field.metadata if isinstance(item, Allowed)]
    parts = [field.description or "", f"values: {', '.join(allowed)}"]
    if field.default is not None:
        parts.append(f"default: {field.default}")
    return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """Options of a request, as far as they can be known before its picture."""

    options: Options
    skeleton: SkeletonName
    fov_deg: float | None = None
    """Becomes a camera once the size of the frame is known."""

    def options_for(
        self, *, width: int, height: int, exif: Camera | None = None
    ) -> Options:
        """The options for one frame; intrinsics from the request, else from EXIF, else left to the cascade.

        Raises:
            BadParameter: the region does not lie in the frame.
        """
        region = self.options.region_xywh_px
        if region is not None and not (
            region[0] + region[2] <= width and region[1] + region[3] <= height
        ):
            raise BadParameter(
                "region",
                ",".join(f"{v:g}" for v in region),
                f"inside the frame of {width}x{height}",
            )
        camera = self.options.camera
        if self.fov_deg is not None:
            camera = assumed(width, height, self.fov_deg, CameraSource.REQUEST)
        return replace(self.options, camera=camera or exif)


def once_each(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The pairs of a query string, no name twice.

    Raises:
        BadParameter: a name is repeated.
    """
    settings: dict[str, str] = {}
    for name, value in pairs:
        if name in settings:
            raise BadParameter(
                name, value, "given once", message=f"{name} is given more than once"
            )
        settings[name] = value
    return settings


def parse_options(
    settings: Mapping[str, Any], policies: Collection[str]
) -> RequestOptions:
    """Settings by name to what they ask for; None means the default.

    Args:
        settings: texts (query) or JSON values (stream).
        policies: the names that `policy` may take.

    Raises:
        BadParameter: a name is unknown, a value is not allowed, or two of them clash.
    """
    given = {name: value for name, value in settings.items() if value is not None}
    for name, value in given.items():
        if isinstance(value, bool):  # JSON's true would pass for the number 1
            raise _fault(name, value)
    try:
        requested = Parameters.model_validate(given)
    except ValidationError as error:
        name = str(
            error.errors(include_url=False, include_context=False, include_input=False)[
                0
            ]["loc"][0]
        )
        raise _fault(name, given[name]) from None  # the cause adds nothing
    if requested.policy is not None and requested.policy not in policies:
        raise BadParameter("policy", requested.policy, " | ".join(policies))
    _refuse_clashes(given)
    return RequestOptions(_options(requested), requested.skeleton, requested.fov_deg)


def _options(requested: Parameters) -> Options:
    region = requested.region
    intrinsics = [getattr(requested, name) for name in _INTRINSICS]
    if region is not None and not (min(region[:2]) >= 0 and min(region[2:]) >= 1):
        raise _fault("region", ",".join(f"{v:g}" for v in region))
    return Options(
        quality=requested.quality,
        price=requested.price,
        max_extra_error_mm=requested.max_extra_error_mm,
        budget_ms=requested.budget_ms,
        policy=requested.policy,
        max_people=requested.max_people,
        min_score=requested.min_score,
        tiles=requested.tiles,
        camera=None if None in intrinsics else Camera(*intrinsics),
        region_xywh_px=region,
        reuse_target_mm=requested.reuse_target_mm,
    )


def _refuse_clashes(given: Mapping[str, Any]) -> None:
    named = [name for name in _INTRINSICS if name in given]
    for name, other in _CLASHES + [("fov_deg", name) for name in named]:
        if name in given and other in given:
            raise BadParameter(
                name,
                given[name],
                f"left out where {other} is given",
                message=f"{name} and {other} clash: give one of them",
            )
    if named and len(named) < len(_INTRINSICS):
        missing = next(name for name in _INTRINSICS if name not in given)
        raise BadParameter(
            missing,
            "",
            f"given where {named[0]} is",
            message=f"{missing} is missing: fx, fy, cx and cy go together",
        )


def _fault(name: str, value: object) -> BadParameter:
    field = Parameters.model_fields.get(name)
    if field is None:
        known = ", ".join(Parameters.model_fields)
        return BadParameter(
            name,
            value,
            known,
            message=f"{name[:80]!r} is no parameter; known are {known}",
        )
    return BadParameter(
        name,
        value,
        next(entry.text for entry in field.metadata if isinstance(entry, Allowed)),
    )
