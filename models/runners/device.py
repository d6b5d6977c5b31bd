"""A TensorRT engine on a CUDA device, with buffers of its own. Nothing here may be touched without a driver."""

import importlib
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from posecascade.models.errors import RunnerError
from posecascade.models.runners.base import Arrays
from posecascade.models.runners.engines import TensorRT, engine_log


class Engine(Protocol):
    """An executor of padded batches, one call at a time."""

    def execute(self, profile: int, batch: Arrays) -> dict[str, NDArray[Any]]:
        """Outputs for inputs whose shapes lie in that optimisation profile."""

    def close(self) -> None:
        """Frees the device's memory."""


class Device:
    """The first CUDA device: the few calls that an engine needs, failures raised."""

    def __init__(self) -> None:
        try:
            self._api: Any = importlib.import_module("cuda.bindings.runtime")
        except ImportError as error:
            raise RunnerError(
                "TensorRT runners need cuda-bindings: pip install 'posecascade[gpu]'"
            ) from error
        self._stream = self._ask(
            "cudaStreamCreateWithFlags", 1
        )  # 1: not blocked by the default stream
        self.stream = int(self._stream)

    def _ask(self, name: str, *arguments: Any) -> Any:
        status, *results = getattr(self._api, name)(*arguments)
        if int(status):
            raise RuntimeError(f"{name}: {status}")
        return results[0] if len(results) == 1 else results

    @property
    def name(self) -> str:
        return (
            bytes(self._ask("cudaGetDeviceProperties", 0).name).split(b"\0")[0].decode()
        )

    @property
    def architecture(self) -> str:
        kinds = self._api.cudaDeviceAttr
        major, minor = (
            self._ask("cudaDeviceGetAttribute", kind, 0)
            for kind in (
                kinds.cudaDevAttrComputeCapabilityMajor,
                kinds.cudaDevAttrComputeCapabilityMinor,
            )
        )
        return f"sm_{major}{minor}"

    def allocate(self, nbytes: int) -> int:
        return int(self._ask("cudaMalloc", nbytes))

    def free(self, address: int) -> None:
        self._ask("cudaFree", address)

    def upload(self, address: int, array: NDArray[Any]) -> None:
        """Queues a copy; `array` must be contiguous and live until `wait`."""
        self._ask(
            "cudaMemcpyAsync",
            address,
            array.ctypes.data,
            array.nbytes,
            self._api.cudaMemcpyKind.cudaMemcpyHostToDevice,
            self._stream,
        )

    def download(self, array: NDArray[Any], address: int) -> None:
        """Queues a copy into `array`, which is filled after `wait`."""
        self._ask(
            "cudaMemcpyAsync",
            array.ctypes.data,
            address,
            array.nbytes,
            self._api.cudaMemcpyKind.cudaMemcpyDeviceToHost,
            self._stream,
        )

    def wait(self) -> None:
        self._ask("cudaStreamSynchronize", self._stream)

    def close(self) -> None:
        self._ask("cudaStreamDestroy", self._stream)


class _Lane:
    """One optimisation profile: a context that stays on it, and buffers for its largest batch."""

    def __init__(self, trt: TensorRT, engine: Any, index: int, device: Device) -> None:
        self._device = device
        self.context = engine.create_execution_context()
        if self.context is None or not self.context.set_optimization_profile_async(
            index, device.stream
        ):
            raise RuntimeError(
                f"no execution context for profile {index}: the device's memory may be full"
            )
        names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
        self.inputs = [
            n for n in names if engine.get_tensor_mode(n) == trt.TensorIOMode.INPUT
        ]
        self.dtypes = {
            n: np.dtype(trt.nptype(engine.get_tensor_dtype(n))) for n in names
        }
        self.outputs = [n for n in names if n not in self.inputs]
        for name in self.inputs:
            self.context.set_input_shape(
                name, tuple(engine.get_tensor_profile_shape(name, index)[2])
            )
        self.address: dict[str, int] = {}
        for name in names:
            nbytes = int(np.prod(self.shape(name))) * self.dtypes[name].itemsize
            self.address[name] = device.allocate(nbytes)
            self.context.set_tensor_address(name, self.address[name])

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self.context.get_tensor_shape(name))

    def execute(self, batch: Arrays) -> dict[str, NDArray[Any]]:
        sent = {
            name: np.ascontiguousarray(batch[name], self.dtypes[name])
            for name in self.inputs
        }
        for name, array in sent.items():
            if not self.context.set_input_shape(name, array.shape):
                raise RuntimeError(f"{name} {array.shape} lies outside the profile")
            self._device.upload(self.address[name], array)
        if not self.context.execute_async_v3(self._device.stream):
            raise RuntimeError("TensorRT refused to enqueue the batch")
        results = {
            name: np.empty(self.shape(name), self.dtypes[name]) for name in self.outputs
        }
        for name, array in results.items():
            self._device.download(array, self.address[name])
        self._device.wait()
        return results

    def close(self) -> None:
        for address in self.address.values():
            self._device.free(address)
        self.context = None


class DeviceEngine:
    """A deserialised engine with a lane for each of its profiles. Owns its device from here on."""

    def __init__(
        self, trt: TensorRT, engine: Any, device: Device, runtime: Any
    ) -> None:
        self._engine = engine
        self._device = device
        self._runtime = runtime  # must outlive its engine
        self._lanes = [
            _Lane(trt, engine, index, device)
            for index in range(engine.num_optimization_profiles)
        ]

    @classmethod
    def load(cls, trt: TensorRT, blob: bytes, device: Device) -> "DeviceEngine | None":
        """None: this library on this device cannot use the engine."""
        runtime = trt.Runtime(engine_log(trt))
        engine = runtime.deserialize_cuda_engine(blob)
        return None if engine is None else cls(trt, engine, device, runtime)

    def execute(self, profile: int, batch: Arrays) -> dict[str, NDArray[Any]]:
        return self._lanes[profile].execute(batch)

    def close(self) -> None:
        for lane in self._lanes:
            lane.close()
        self._lanes = []
        self._engine = None
        self._runtime = None
        self._device.close()
