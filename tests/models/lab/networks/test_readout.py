"""From dense maps to joints."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from posecascade.models.lab.networks.movenet import Maps  # noqa: E402  (after the skip)
from posecascade.models.lab.networks.readout import peaks, read, regressed  # noqa: E402

H, W = 40, 56


def planted(*people: tuple[int, int]) -> Maps:
    """Maps in which the joints of each person lie on a diagonal below their centre (y, x), 0.25 cells off the grid."""
    center = torch.full((1, 1, H, W), -8.0)
    regress, heat = torch.zeros(1, 17, 2, H, W), torch.full((1, 17, H, W), -8.0)
    for y, x in people:
        center[0, 0, y, x] = 4.0
        for joint in range(17):
            regress[0, joint, :, y, x] = torch.tensor([joint - 8.0, 0.5 * (joint - 8)])
            heat[0, joint, y + joint - 8, x + round(0.5 * (joint - 8))] = 5.0
    return Maps(center, regress.flatten(1, 2), heat, torch.full((1, 34, H, W), 0.25))


def test_the_strongest_centres_come_first():
    cells = peaks(planted((12, 20), (26, 40)).center, 4)[0].tolist()
    assert set(cells[:2]) == {12 * W + 20, 26 * W + 40}


def test_joints_are_read_where_their_heat_is_in_pixels():
    reading = read(planted((16, 24)), torch.tensor([[16 * W + 24]]))
    want = [
        [4 * (24 + round(0.5 * (j - 8)) + 0.25), 4 * (16 + j - 8 + 0.25)]
        for j in range(17)
    ]
    assert reading.joints_px[0].tolist() == want
    assert reading.scores.min() > 0.99


def test_a_neighbours_heat_does_not_draw_a_joint_away():
    alone = read(planted((16, 12)), torch.tensor([[16 * W + 12]]))
    beside = read(planted((16, 12), (16, 36)), torch.tensor([[16 * W + 12]]))
    assert torch.equal(alone.joints_px, beside.joints_px)


def test_a_guide_decides_between_two_equal_places():
    maps = planted((16, 24))
    maps.heatmaps[0, :, 16:, 28:] = maps.heatmaps[0, :, 12:36, 20:48].clone().amax(0)
    cells = torch.tensor([[16 * W + 24]])
    guide = regressed(maps, cells)
    near = read(maps, cells, (guide,), (torch.full((1, 1, 17), 1.0),))
    assert (near.joints_px[0].flip(-1) / 4 - guide[0, 0]).abs().max() < 1.0
