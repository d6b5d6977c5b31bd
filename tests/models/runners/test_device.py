"""The buffers and shapes of a TensorRT engine, with a device and an engine of Python objects in their place."""

from types import SimpleNamespace

import numpy as np
import pytest

from posecascade.models.runners.device import Device, DeviceEngine
from posecascade.models.runners.providers import cuda_devices

MODULE = SimpleNamespace(
    TensorIOMode=SimpleNamespace(INPUT="in"), nptype=lambda dtype: dtype
)
"""What `DeviceEngine` uses of the module `tensorrt`."""


class MemoryDevice:
    """Device memory as byte arrays by address; copies happen at `wait`, as they may on a GPU."""

    stream = 77

    def __init__(self):
        self.memory = {}
        self.queued = []
        self.closed = False

    def allocate(self, nbytes):
        address = 1000 + len(self.memory)
        self.memory[address] = np.zeros(nbytes, np.uint8)
        return address

    def free(self, address):
        del self.memory[address]

    def upload(self, address, array):
        assert array.flags.c_contiguous
        self.queued.append(
            lambda: self.view(address, array.dtype, array.shape).__setitem__(..., array)
        )

    def download(self, array, address):
        self.queued.append(
            lambda: array.__setitem__(..., self.view(address, array.dtype, array.shape))
        )

    def view(self, address, dtype, shape):
        nbytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return self.memory[address][:nbytes].view(dtype).reshape(shape)

    def wait(self):
        while self.queued:
            self.queued.pop(0)()

    def close(self):
        self.closed = True


class SumEngine:
    """x uint8 [N, W] -> total float32 [N], W fixed by the profile; shapes must be set before they are asked."""

    num_io_tensors = 2
    most = ((4, 3), (4, 5))

    def __init__(self, device):
        self.device = device
        self.num_optimization_profiles = len(self.most)

    def get_tensor_name(self, index):
        return ["x", "total"][index]

    def get_tensor_mode(self, name):
        return "in" if name == "x" else "out"

    def get_tensor_dtype(self, name):
        return np.uint8 if name == "x" else np.float32

    def get_tensor_profile_shape(self, name, index):
        return [(1, self.most[index][1]), (2, self.most[index][1]), self.most[index]]

    def create_execution_context(self):
        return SumContext(self)


class SumContext:
    def __init__(self, engine):
        self.engine = engine
        self.profile = None
        self.shape = None
        self.address = {}

    def set_optimization_profile_async(self, index, stream):
        self.profile = index
        return stream == 77

    def set_input_shape(self, name, shape):
        most = self.engine.most[self.profile]
        self.shape = shape
        return shape[0] <= most[0] and shape[1] == most[1]

    def get_tensor_shape(self, name):
        return self.shape if name == "x" else self.shape[:1]

    def set_tensor_address(self, name, address):
        self.address[name] = address

    def execute_async_v3(self, stream):
        device = self.engine.device
        shape = self.shape

        def compute():
            x = device.view(self.address["x"], np.uint8, shape)
            device.view(self.address["total"], np.float32, shape[:1])[...] = x.sum(1)

        device.queued.append(compute)
        return True


@pytest.fixture
def device():
    return MemoryDevice()


@pytest.fixture
def engine(device):
    return DeviceEngine(MODULE, SumEngine(device), device, runtime=None)


@pytest.mark.parametrize(("profile", "width"), [(0, 3), (1, 5)])
@pytest.mark.parametrize("items", [1, 2, 4])
def test_a_batch_goes_to_the_device_and_its_answer_comes_back(
    engine, profile, width, items
):
    x = np.random.default_rng(items).integers(0, 40, (items, width), np.uint8)

    np.testing.assert_array_equal(engine.execute(profile, {"x": x})["total"], x.sum(1))


def test_a_smaller_batch_does_not_see_what_a_larger_one_left(engine):
    engine.execute(0, {"x": np.full((4, 3), 9, np.uint8)})

    assert engine.execute(0, {"x": np.ones((1, 3), np.uint8)})["total"].tolist() == [3]


def test_inputs_need_not_be_contiguous(engine):
    x = np.arange(12, dtype=np.uint8).reshape(3, 4).T  # [4, 3]

    np.testing.assert_array_equal(engine.execute(0, {"x": x})["total"], x.sum(1))


def test_a_shape_outside_the_profile_is_refused(engine):
    with pytest.raises(RuntimeError, match=r"x \(4, 5\) lies outside the profile"):
        engine.execute(0, {"x": np.zeros((4, 5), np.uint8)})


def test_each_profile_has_memory_for_its_largest_batch_and_closing_frees_it(
    engine, device
):
    assert sorted(len(block) for block in device.memory.values()) == [12, 16, 16, 20]
    engine.close()

    assert device.memory == {}
    assert device.closed


@pytest.mark.skipif(cuda_devices() > 0, reason="a GPU is here")
def test_a_cuda_call_that_fails_says_which_and_why():
    pytest.importorskip(
        "cuda.bindings", reason="cuda-bindings is not installed (extra gpu)"
    )

    with pytest.raises(
        RuntimeError, match=r"cudaStreamCreateWithFlags: .*(Driver|Device)"
    ):
        Device()
