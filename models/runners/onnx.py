"""Runs a stage on onnxruntime."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

# From 1.32 on its wheel for Linux reports its use over the network, from the import on.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime
from numpy.typing import NDArray

from posecascade.models.errors import RunnerError, StageDown
from posecascade.models.records import Stage
from posecascade.models.runners.base import Arrays
from posecascade.models.runners.providers import CPU, CUDA, demand_gpu
from posecascade.models.runners.signature import TensorSpec, batch_size

_OPTIONS: dict[str, dict[str, str]] = {
    CPU: {},
    # EXHAUSTIVE, the default, costs 0.6 s for each unseen shape; HEURISTIC 2 ms at the same steady speed
    # (PaddlePaddle/PaddleX 5057).
    CUDA: {"cudnn_conv_algo_search": "HEURISTIC"},
}
_DTYPES = {
    "tensor(uint8)": np.uint8,
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}
_HEAVY = ("Conv", "Gemm", "MatMul")
"""Operators that cost; shape arithmetic rightly stays on the CPU everywhere."""


class OnnxRunner:
    """One session. `run` may be called from several threads at once: onnxruntime sessions allow it."""

    def __init__(
        self, path: Path, stage: Stage, *, threads: int = 2, provider: str = CPU
    ) -> None:
        """Loads the file onto `provider`.

        Raises:
            RunnerError: the file cannot be loaded, or the session does not run on the requested provider.
        """
        if provider != CPU:
            demand_gpu(provider)
        self._stage = stage
        self._session: onnxruntime.InferenceSession | None = _session(
            path, threads, provider
        )
        self._provider = _real_provider(self._session)
        if self._provider != provider:
            raise RunnerError(
                f"{stage} was to run on {provider}, but onnxruntime put {path.name} on {self._provider}; "
                f"this build offers {onnxruntime.get_available_providers()}"
            )
        self.inputs = {
            i.name: _spec(i.type, i.shape) for i in self._session.get_inputs()
        }
        self.metadata: dict[str, str] = dict(
            self._session.get_modelmeta().custom_metadata_map
        )

    @property
    def provider(self) -> str:
        return self._provider

    def run(self, batch: Arrays) -> dict[str, NDArray[Any]]:
        """Outputs [N, ...] for inputs [N, ...], N >= 1.

        Raises:
            RunnerError: the batch does not fit the stage, or the runner was closed.
            StageDown: onnxruntime failed.
        """
        session = (
            self._session
        )  # a close meanwhile must not pull the session from under this call
        if session is None:
            raise RunnerError(f"{self._stage} was closed")
        items = batch_size(batch, self.inputs, stage=self._stage)
        names = [output.name for output in session.get_outputs()]
        try:
            return dict(zip(names, session.run(names, dict(batch)), strict=True))
        except Exception as error:  # its exceptions share no base
            raise StageDown(
                f"{self._stage} failed on {self._provider} with a batch of {items}"
            ) from error

    def close(self) -> None:
        self._session = None


def _session(path: Path, threads: int, provider: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # fatal: what fails is raised, and its warnings tell of harmless graph folding
    # A spinning pool burns 30-60 % of the cores it waits on, and halves the speed beside a busy neighbour.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    try:
        session = onnxruntime.InferenceSession(
            path, options, providers=[provider], provider_options=[_OPTIONS[provider]]
        )
    except Exception as error:  # its exceptions share no base
        raise RunnerError(
            f"onnxruntime cannot load {path} on {provider}: {error}"
        ) from error
    session.disable_fallback()
    return session


def _real_provider(session: onnxruntime.InferenceSession) -> str:
    """Where the costly nodes are; the list of registered providers may name one that got no node."""
    heavy: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for part in session.get_provider_graph_assignment_info():
        nodes = part.get_nodes()
        every[part.ep_name] += len(nodes)
        heavy[part.ep_name] += sum(
            any(name in node.op_type for name in _HEAVY) for node in nodes
        )
    counts = +heavy or every
    return str(counts.most_common(1)[0][0])


def _spec(dtype: str, shape: list[int | str | None]) -> TensorSpec:
    if dtype not in _DTYPES:
        raise RunnerError(f"want an input of {sorted(_DTYPES)}, got {dtype}")
    return TensorSpec(
        np.dtype(_DTYPES[dtype]),
        tuple(n if isinstance(n, int) else None for n in shape),
    )
