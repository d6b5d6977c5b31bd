"""Outputs of a stage as detections: calibrated, in the frame's pixels."""

import numpy as np

from posecascade.models.calibration import Calibration, calibrated_score
from posecascade.models.crops import Window
from posecascade.models.detections import Detections
from posecascade.models.records import Stage
from posecascade.models.runners.base import Arrays


def from_outputs(
    outputs: Arrays, windows: list[Window], stage: Stage, calibration: Calibration
) -> Detections:
    """Outputs [P, ...] of a stage, each of its own window, calibrated and moved to the frame."""
    origin = np.array([[w.x_px, w.y_px] for w in windows])[:, None]
    scale = np.array([w.scale for w in windows])[:, None, None]
    return Detections(
        score=calibrated_score(
            outputs["score"].astype(np.float64), *calibration.score[stage]
        ),
        joints_px=outputs["joints_px"] / scale + origin,
        joint_scores=outputs["joint_scores"].astype(np.float64),
        rel_mm=outputs["joints_rel_mm"].astype(np.float64),
        sigma_mm=outputs["sigma_mm"] * np.array(calibration.sigma_scale[stage]),
        root_depth_mm=outputs["root_depth_mm"].astype(np.float64),
        root_depth_sigma_mm=outputs["root_depth_sigma_mm"].astype(np.float64),
        disagreement=outputs["disagreement"].astype(np.float64),
    )
