"""Sound folders of weights whose networks are but names."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from posecascade.models.manifest import CONTRACT
from posecascade.models.records import Stage


def write_weights(
    folder: Path, calibration: Mapping[str, Any], cost_ms: Mapping[Stage, float]
) -> Path:
    """Files and a manifest that vouches for them; the folder is there already."""

    def spec(stage: Stage) -> dict[str, Any]:
        data = f"network of {stage}".encode()
        (folder / f"{stage}.onnx").write_bytes(data)
        return {
            "file": f"{stage}.onnx",
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
            "input_sizes_hw": [[64, 64]],
            "outputs": ["score"],
            "params": 1,
            "gmacs": 0.1,
            "cost_ms": cost_ms[stage],
            "batch_buckets": [1, 2],
            "licence": "Apache-2.0",
            "origin": "a test",
            "parity_mm": 0.0,
        }

    (folder / "manifest.json").write_text(
        json.dumps(
            {
                "name": "posecascade",
                "version": "1",
                "contract": CONTRACT,
                "skeleton": "cascade25",
                "people_slots": 32,
                "min_score": 0.3,
                "stages": {str(stage): spec(stage) for stage in Stage},
                "calibration": dict(calibration),
            }
        )
    )
    return folder
