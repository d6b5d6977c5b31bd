from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from posecascade.models.crops import person_window
from posecascade.models.errors import RunnerError
from posecascade.models.lab.datasets.labelled import read_folder
from posecascade.models.lab.evaluation.origins import load_origin
from posecascade.models.records import Stage
from posecascade.models.skeleton import COCO17, JOINT_NAMES, JOINTS
from tests.models.lab.evaluation.stages import cascade_of, scene

SIZE_PX = 64


def write_network(
    path: Path, marks: np.ndarray, shape: tuple[int, ...] = (1, 3, SIZE_PX, SIZE_PX)
) -> Path:
    """A network that says `marks` [17, 3] (y, x, score) whatever it sees."""
    says = numpy_helper.from_array(marks[None, None].astype(np.float32), "says")
    graph = helper.make_graph(
        [helper.make_node("Constant", [], ["keypoints"], value=says)],
        "fixed",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("keypoints", TensorProto.FLOAT, (1, 1, 17, 3))],
    )
    onnx.save(
        helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10
        ),
        path,
    )
    return path


def test_joints_come_back_from_each_persons_window_and_coco_has_no_pelvis(
    tmp_path: Path,
) -> None:
    cascade = cascade_of(scene(tmp_path, [2]))
    [frame] = read_folder(tmp_path).frames
    marks = np.full((17, 3), 0.5)
    marks[COCO17.joints.index("left_wrist")] = 0.0, 1.0, 0.9  # top right corner
    origin = load_origin(
        Stage.REFINE, write_network(tmp_path / "net.onnx", marks), cascade, threads=1
    )

    found = origin.people(frame.image_bgr(), frame.camera)

    coarse = cascade.predict(
        frame.image_bgr(), camera=frame.camera, quality="fast"
    ).people
    assert origin.name == "refine's origin, net (2D)"
    assert len(found) == len(coarse) == 2
    for guess, person in zip(found, coarse, strict=True):
        window = person_window(person.pose.joints_px, 640, 480, (SIZE_PX, SIZE_PX))
        side = SIZE_PX / window.scale
        assert guess.joints_px[JOINT_NAMES.index("left_wrist")] == pytest.approx(
            [window.x_px + side, window.y_px]
        )
        assert guess.joints_px[JOINT_NAMES.index("nose")] == pytest.approx(
            [window.x_px + side / 2, window.y_px + side / 2]
        )
        lacking = np.setdiff1d(np.arange(JOINTS), COCO17.source)
        assert np.isnan(guess.joints_px[lacking]).all()
        assert guess.joints_rel_mm is None


def test_a_file_that_is_no_such_network_is_refused_in_one_line(tmp_path: Path) -> None:
    cascade = cascade_of(scene(tmp_path, [1]))
    (tmp_path / "text.onnx").write_text("text")
    oblong = write_network(tmp_path / "oblong.onnx", np.zeros((17, 3)), (1, 3, 64, 48))

    for path, says in (
        (tmp_path / "no.onnx", "no such file"),
        (tmp_path / "text.onnx", "text.onnx: "),
        (oblong, r"want one input \[1, 3, S, S\]"),
    ):
        with pytest.raises(RunnerError, match=says) as wrong:
            load_origin(Stage.REFINE, path, cascade, threads=1)
        assert "\n" not in str(wrong.value)
