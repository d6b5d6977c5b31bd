"""From linear light to the picture that a camera would have saved."""

import torch
from torch import Generator, Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

from posecascade.models.lab.rendering.atlas import GAMMA
from posecascade.models.lab.rendering.blur import blurred
from posecascade.models.lab.rendering.columns import Columns
from posecascade.models.lab.rendering.jpeg import coded

_GREY = (0.3, 0.59, 0.11)


def developed(
    light: Tensor, seen: Tensor, exposure: Tensor, lens: Columns, generator: Generator
) -> Tensor:
    """uint8 [B, 3, S, S]: soft edges, blur, exposure, tone curve, then what sensor and codec do.

    Args:
        light: [B, S, S, 3] linear.
        seen: [B, S, S] triangle at each pixel, -1 none.
        exposure: [B]
        lens: `scene.Lens` in tensors.
        generator: of the noise, on the device.
    """
    image = light.permute(0, 3, 1, 2).contiguous()
    solid = seen >= 0
    image = blurred(_smoothed(image, solid), solid[:, None], lens)
    image = image * (exposure * 0.85)[:, None, None, None]
    image = image * (1 + image / 6) / (1 + image)  # filmic shoulder
    shown = (image * 1.35).clamp(1e-5, 1) ** (1 / GAMMA)
    shown = _reduced(_toned(shown, lens), lens.scale)
    shown = coded(_noisy(shown, lens, generator).clamp(0, 1), lens.jpeg)
    return (shown * 255).round().byte()


def _smoothed(image: Tensor, solid: Tensor) -> Tensor:
    """Halves the stairs along outlines, which the z-buffer leaves without coverage."""
    down = solid[:, 1:] ^ solid[:, :-1]
    across = solid[:, :, 1:] ^ solid[:, :, :-1]
    edge = torch.zeros_like(solid)
    edge[:, 1:] |= down
    edge[:, :-1] |= down
    edge[:, :, 1:] |= across
    edge[:, :, :-1] |= across
    soft = avg_pool2d(pad(image, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return torch.where(edge[:, None], 0.5 * image + 0.5 * soft, image)


def _column(values: Tensor) -> Tensor:
    return values[:, None, None, None]


def _toned(image: Tensor, lens: Columns) -> Tensor:
    """White balance, gamma, saturation."""
    image = (image * lens.white_balance[:, :, None, None]).clamp(1e-4, 1) ** _column(
        lens.gamma
    )
    grey = (image * image.new_tensor(_GREY)[:, None, None]).sum(1, keepdim=True)
    return (grey + (image - grey) * _column(lens.saturation)).clamp(0, 1)


def _reduced(image: Tensor, scale: Tensor) -> Tensor:
    """Down and up again, frames grouped by their few scales."""
    size = image.shape[-1]
    for step in [value for value in torch.unique(scale).tolist() if value < 1]:
        which = torch.nonzero(scale == step).flatten()
        small = interpolate(
            image[which],
            size=max(32, int(size * step)),
            mode="bilinear",
            antialias=True,
        )
        mode = "bicubic" if step > 0.4 else "bilinear"
        image[which] = interpolate(small, size=size, mode=mode).clamp(0, 1)
    return image


def _noisy(image: Tensor, lens: Columns, generator: Generator) -> Tensor:
    """Shot and read noise, part of it in blotches of colour."""
    which = torch.nonzero(lens.shot + lens.read > 0).flatten()
    size = image.shape[-1]
    if not len(which):
        return image
    own = lens.taken(which)
    chosen = image[which]

    def noise(side: int) -> Tensor:
        return torch.randn(
            (len(which), 3, side, side), device=image.device, generator=generator
        )

    deviation = _column(own.read) + _column(own.shot) * chosen.clamp(0, 1).sqrt()
    blotches = interpolate(noise(size // 4), size=size, mode="bilinear")
    image = image.clone()
    image[which] = chosen + deviation * (noise(size) + _column(own.chroma) * blotches)
    return image
