"""Facts about corrections, deviations and widened sigmas."""

import numpy as np

from posecascade.models.tracking.reuse.propagation import (
    Correction,
    deviation_mm,
    widened,
)
from tests.models.tracking.reuse.bodies import detections

ROOT_MM = (0, 0, 4000)


def test_a_correction_is_what_the_refinement_adds():
    coarse = detections(ROOT_MM)
    refined = detections(ROOT_MM, off_mm=np.array([3, 0, 4]))
    correction = Correction.between(refined, coarse)

    assert not correction.px.any()
    np.testing.assert_allclose(correction.mm[0], np.tile([3, 0, 4], (25, 1)))
    np.testing.assert_allclose(correction.log_depth, 0)
    np.testing.assert_allclose(deviation_mm(coarse, refined), [5])


def test_sigmas_add_up_as_variances_do():
    widened_by_40 = widened(detections(ROOT_MM, sigma_mm=30), np.array([40.0]))

    np.testing.assert_allclose(widened_by_40.sigma_mm, 50)
