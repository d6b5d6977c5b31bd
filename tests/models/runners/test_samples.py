import numpy as np
import pytest

from posecascade.models.errors import RunnerError
from posecascade.models.runners.profiles import Profile
from posecascade.models.runners.samples import (
    fitted_sample,
    load_sample,
    sample_path,
    save_sample,
)
from posecascade.models.runners.signature import TensorSpec

FRAME = {"image_bgr": TensorSpec(np.dtype(np.uint8), (None, None, None, 3))}


def test_a_sample_comes_back_as_it_was_kept(tmp_path, crops):
    save_sample(tmp_path / "refine.onnx", crops)
    back = load_sample(tmp_path / "refine.onnx")

    assert back.keys() == crops.keys()
    assert all((back[name] == crops[name]).all() for name in crops)


@pytest.mark.parametrize("content", [None, b"no archive"])
def test_a_missing_or_damaged_sample_is_named_with_what_to_do(tmp_path, content):
    if content is not None:
        sample_path(tmp_path / "refine.onnx").write_bytes(content)

    with pytest.raises(
        RunnerError, match=r"refine\.sample\.npz.*posecascade export onnx"
    ):
        load_sample(tmp_path / "refine.onnx")


def test_a_frame_is_cut_or_filled_up_to_an_input_size():
    frame = np.full((1, 4, 6, 3), 9, np.uint8)
    fitted = fitted_sample({"image_bgr": frame}, FRAME, Profile((6, 4), (1,)))[
        "image_bgr"
    ]

    assert fitted.shape == (1, 6, 4, 3)
    assert (fitted[:, :4] == 9).all()
    assert (fitted[:, 4:] == 0).all()
