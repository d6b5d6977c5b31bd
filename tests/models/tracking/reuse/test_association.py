"""Facts about thumbnails and cuts."""

import numpy as np
import pytest

from posecascade.models.tracking.reuse.association import is_cut, thumbnail


def noise(seed):
    return np.random.default_rng(seed).integers(0, 255, (90, 160, 3), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 700, 3), (1080, 1920, 3)])
def test_a_thumbnail_has_one_size_whatever_the_image_has(shape):
    assert thumbnail(np.zeros(shape, np.uint8)).shape == (9, 16)


def test_a_change_of_brightness_is_no_cut_and_another_image_is_one():
    image = noise(0)

    assert not is_cut(thumbnail(image), thumbnail(image // 3))
    assert is_cut(thumbnail(image), thumbnail(noise(1)))


def test_a_flat_image_is_no_cut():
    image = noise(0)

    assert not is_cut(thumbnail(image), thumbnail(np.full_like(image, 90)))
