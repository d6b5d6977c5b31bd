"""A few real inputs of each stage, stored beside its weights, to check a runtime with before it serves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posecascade.models.errors import RunnerError
from posecascade.models.runners.base import Arrays
from posecascade.models.runners.profiles import Profile
from posecascade.models.runners.signature import TensorSpec


def sample_path(onnx: Path) -> Path:
    return onnx.with_suffix(".sample.npz")


def load_sample(onnx: Path) -> dict[str, NDArray[Any]]:
    """The inputs [N, ...] stored beside an ONNX file.

    Raises:
        RunnerError: there are none, or they cannot be read.
    """
    path = sample_path(onnx)
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError) as error:
        raise RunnerError(
            f"cannot read {path}, the inputs to check the runtime with: {error}; "
            "`posecascade export onnx` writes them"
        ) from error


def save_sample(onnx: Path, inputs: Arrays) -> None:
    np.savez_compressed(sample_path(onnx), allow_pickle=False, **dict(inputs))


def fitted_sample(
    sample: Arrays, inputs: Mapping[str, TensorSpec], profile: Profile
) -> dict[str, NDArray[Any]]:
    """The sample cut, or filled up with black, to the input size of a profile."""
    return {
        name: _fitted(sample[name], profile.shape(spec, len(sample[name])))
        for name, spec in inputs.items()
    }


def _fitted(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    out = np.zeros(shape, array.dtype)
    common = tuple(
        slice(min(have, want)) for have, want in zip(array.shape, shape, strict=True)
    )
    out[common] = array[common]
    return out
