"""Which devices there are, according to the driver.

A package's list of providers says what it was built with, not what will run: sessions made from it fall back to the
CPU with a line on stderr (microsoft/onnxruntime 11323, 21425), and TensorRT's runtime ends the process where there is
no driver. So nothing that needs a GPU is touched before the driver has reported one.
"""

import ctypes
import sys

from posecascade.models.errors import RunnerError

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"

_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


def cuda_devices() -> int:
    """Devices that the CUDA driver offers this process; 0 without a driver."""
    try:
        driver = ctypes.CDLL(_DRIVER)
    except OSError:
        return 0
    count = ctypes.c_int()
    failed = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    return 0 if failed else count.value


def demand_gpu(runtime: str) -> None:
    """Refuses where `runtime` would end up on the CPU.

    Raises:
        RunnerError: the driver offers no device.
    """
    if cuda_devices() == 0:
        raise RunnerError(
            f"{runtime} needs an NVIDIA GPU, but the driver ({_DRIVER}) offers none: "
            "check nvidia-smi, give the container its GPU, or choose the runtime onnxruntime"
        )
