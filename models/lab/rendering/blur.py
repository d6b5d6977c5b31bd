"""Motion blur and defocus, in linear light."""

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from posecascade.models.lab.rendering.columns import Columns


def _kernels(lens: Columns, half: int, unit_px: float) -> Tensor:
    """[N, 2 half + 1, 2 half + 1] a line (motion) widened by a disc (defocus), each adding up to one."""
    at = torch.arange(-half, half + 1, device=lens.motion.device, dtype=torch.float32)
    y, x = torch.meshgrid(at, at, indexing="ij")
    cos = torch.cos(lens.angle_rad)[:, None, None]
    sin = torch.sin(lens.angle_rad)[:, None, None]
    along = x * cos + y * sin
    across = -x * sin + y * cos
    beyond = (along.abs() - lens.motion[:, None, None] * unit_px / 2).clamp_min(0)
    distance = torch.hypot(beyond, across)
    kernel = (lens.defocus[:, None, None] * unit_px + 0.7 - distance).clamp(
        0, 1
    ) + 1e-6 * (distance < 0.5)
    return kernel / kernel.sum((1, 2), keepdim=True)


def blurred(image: Tensor, solid: Tensor, lens: Columns) -> Tensor:
    """Only the frames whose lens asks for it; some keep the backdrop sharp and smear the people over it.

    Args:
        image: [B, 3, S, S] linear.
        solid: [B, 1, S, S] where people and things are.
        lens: `scene.Lens` in tensors.
    """
    which = torch.nonzero((lens.motion > 0) | (lens.defocus > 0)).flatten()
    if not len(which):
        return image
    own = lens.taken(which)
    chosen = image[which]
    people_only = own.people_only[:, None, None, None]
    layers = torch.cat([chosen, solid[which].to(image.dtype)], 1)
    cut_out = torch.cat([layers[:, :3] * layers[:, 3:], layers[:, 3:]], 1)
    smeared = _convolved(torch.where(people_only, cut_out, layers), own)
    over = smeared[:, :3] + chosen * (1 - smeared[:, 3:])
    image = image.clone()
    image[which] = torch.where(people_only, over, smeared[:, :3])
    return image


def _convolved(layers: Tensor, lens: Columns) -> Tensor:
    """[N, 4, S, S] each frame by its own kernel."""
    count, channels, size, _ = layers.shape
    half = max(2, int(6 * size / 256))
    kernels = _kernels(lens, half, size / 256)
    weights = (
        kernels[:, None]
        .expand(-1, channels, -1, -1)
        .reshape(-1, 1, 2 * half + 1, 2 * half + 1)
    )
    padded = pad(layers, [half] * 4, mode="replicate").reshape(
        1, -1, size + 2 * half, size + 2 * half
    )
    return conv2d(padded, weights, groups=len(weights)).view(
        count, channels, size, size
    )
