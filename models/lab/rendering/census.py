"""The groups that rendered people are of, known exactly: what fairness can be asked about.

Age shows in the shape of the body alone: old people have neither wrinkles nor greyer hair. Skin is drawn apart from
everything else; sex goes with suits, hair, stature and build, as the wardrobe and the bodies have it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from posecascade.models.arrays import Floats
from posecascade.models.lab.rendering.body import BodyModel, morph
from posecascade.models.lab.rendering.wardrobe import BALD, Wardrobe

Groups = dict[str, str]
"""Of one person: kind of group -> group."""
Bins = tuple[tuple[float, str], ...]
"""Lower edge and name, from low to high."""

SKIN_ITA_DEG: Final[Bins] = ((-np.inf, "dark"), (-30, "medium"), (28, "light"))
"""By individual typology angle. Chardon et al., Int. J. Cosmet. Sci. 13 (1991), as six classes in Del Bino & Bernerd,
Br. J. Dermatol. 169 (2013), here in pairs: dark is theirs, medium brown and tan, light intermediate and fairer."""
AGE: Final[Bins] = ((-np.inf, "child"), (0.5, "adult"), (5 / 6, "old"))
"""By the nearest of the shape space's targets: child 1/3, young adult 2/3, old 1 (MakeHuman: 10, 25 and 90 years)."""
BUILD_L_M2: Final[Bins] = ((-np.inf, "slim"), (18.5, "medium"), (21.0, "sturdy"))
"""By volume over squared stature, the body mass index at 1 kg/l. 18.5 is WHO's bound of underweight; WHO's 25 would
leave hardly anybody above it: the shape space has no obese people."""
STATURE_M: Final[Bins] = ((-np.inf, "short"), (1.60, "medium"), (1.80, "tall"))

_XYZ_OF_SRGB: Final = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)
"""IEC 61966-2-1, D65."""


@dataclass(frozen=True, slots=True, eq=False)
class Census:
    """Knows every body of the shape space and every piece of the wardrobe."""

    by_body: Sequence[Groups]
    """What the body alone says, one a body."""
    pieces: Sequence[str]
    """Names of the wardrobe."""

    @classmethod
    def of(cls, body: BodyModel, wardrobe: Wardrobe) -> "Census":
        build_l_m2 = volumes_l(body, wardrobe) / body.height_m**2
        women = body.sex > 0.5
        return cls(
            [
                {
                    "age": binned(age, AGE),
                    "sex": "female" if woman else "male",
                    "build": binned(build, BUILD_L_M2),
                    "stature": binned(height, STATURE_M),
                }
                for age, woman, build, height in zip(
                    body.age, women, build_l_m2, body.height_m, strict=True
                )
            ],
            wardrobe.names,
        )

    def groups(self, truth: Mapping[str, NDArray[Any]], row: int) -> Groups:
        """Of one person of `truth.truth_of`, in NumPy."""
        hair = int(truth["hair"][row])
        return {
            "skin": binned(float(ita_deg(truth["skin_rgb"][row])), SKIN_ITA_DEG),
            **self.by_body[int(truth["shape"][row])],
            "suit": self.pieces[int(truth["suit"][row])],
            "hair": "bald" if hair == BALD else self.pieces[hair].rstrip("0123456789"),
        }


def binned(value: float, bins: Bins) -> str:
    """The last whose lower edge `value` reaches."""
    return [name for edge, name in bins if value >= edge][-1]


def ita_deg(rgb: Floats) -> Floats:
    """[...] individual typology angle of sRGB colours [..., 3] in 0..1: atan((L* - 50) / b*), larger is lighter."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    share = linear @ _XYZ_OF_SRGB.T / _XYZ_OF_SRGB.sum(1)  # of the white point
    f = np.where(share > 216 / 24389, np.cbrt(share), (24389 / 27 * share + 16) / 116)
    lightness = 116 * f[..., 1] - 16
    yellow = 200 * (f[..., 1] - f[..., 2])
    return np.asarray(np.degrees(np.arctan2(lightness - 50, yellow)))


def volumes_l(body: BodyModel, wardrobe: Wardrobe) -> Floats:
    """[bodies] litres of each body's own mesh at rest; eyes and mouth are holes of it, less than 1 % of the volume."""
    shape = torch.cat([torch.ones_like(body.coefficients[:, :1]), body.coefficients], 1)
    volume = np.zeros(len(shape))
    for piece, person_index in (
        (wardrobe.women, body.sex > 0.5),
        (wardrobe.men, body.sex <= 0.5),
    ):
        mesh = wardrobe.pieces[piece]
        rest_m = (
            morph(mesh.basis, shape[torch.from_numpy(person_index).to(shape.device)])
            .cpu()
            .numpy()
        )
        volume[person_index] = 1000 * mesh_volumes(rest_m, mesh.triangles.cpu().numpy())
    return volume


def mesh_volumes(vertices: Floats, triangles: NDArray[np.int64]) -> Floats:
    """[N] volumes of meshes [N, V, 3] whose triangles [T, 3] face outwards: signed tetrahedra about the middle."""
    about = vertices.astype(np.float64) - vertices.mean(1, keepdims=True)
    a, b, c = (about[:, corner] for corner in triangles.T)
    return np.asarray((a * np.cross(b, c)).sum((-1, -2)) / 6)
