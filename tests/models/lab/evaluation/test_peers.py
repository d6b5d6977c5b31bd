import sys
from pathlib import Path

import numpy as np
import pytest

from posecascade.models.lab.evaluation.peers import guess_of, load_peers
from posecascade.models.skeleton import BLAZE33, COCO17, JOINT_NAMES

PICTURE = np.zeros((12, 16, 3), np.uint8)

PEERS_PY = """
import common


class Stick:
    def run(self, image):
        return [{"names": ["nose"], "keypoints2d": [[1.0, 2.0, 0.5]], "keypoints3d_m": None, "score": common.SCORE}]


class Fragile:
    def run(self, image):
        raise RuntimeError("no picture today\\nmore")


def unweighted():
    raise FileNotFoundError("stick.onnx is in none of []")


PEERS = {"stick": Stick, "fragile": Fragile, "unweighted": unweighted}


def load(name, threads=2, backend="onnxruntime"):
    return PEERS[name]()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "peers.py").write_text(PEERS_PY)
    (tmp_path / "common.py").write_text("SCORE = 0.25\n")
    return tmp_path


def test_what_runs_is_loaded_and_what_does_not_is_skipped_with_its_reason(
    folder: Path,
) -> None:
    loaded, skipped = load_peers(folder, (), threads=1, sample=PICTURE)

    assert [peer.name for peer in loaded] == ["stick"]
    assert {skip.name: skip.reason for skip in skipped} == {
        "fragile": "RuntimeError: no picture today",
        "unweighted": "FileNotFoundError: stick.onnx is in none of []",
    }


def test_the_folder_leaves_no_trace_on_the_import_system(folder: Path) -> None:
    path = list(sys.path)

    load_peers(folder, ["stick"], threads=1, sample=PICTURE)

    assert sys.path == path
    assert not {"peers", "common"} & set(sys.modules)


def test_a_folder_without_peers_skips_all_that_were_asked_for(tmp_path: Path) -> None:
    loaded, skipped = load_peers(tmp_path, ["a", "b"], threads=1, sample=PICTURE)

    assert loaded == []
    assert [(skip.name, skip.reason) for skip in skipped] == [
        (name, f"no peers.py in {tmp_path}") for name in "ab"
    ]


def test_a_person_in_cocos_joints_becomes_ours_by_name() -> None:
    marks = np.column_stack([np.arange(17), np.arange(17) + 100, np.full(17, 0.5)])

    guess = guess_of(
        {"names": list(COCO17.joints), "keypoints2d": marks, "keypoints3d_m": None}
    )

    assert guess.joints_px[JOINT_NAMES.index("left_wrist")].tolist() == [9, 109]
    assert np.isnan(guess.joints_px[JOINT_NAMES.index("pelvis")]).all()
    assert guess.score == pytest.approx(0.5)
    assert guess.joints_rel_mm is None


def test_a_person_in_blazeposes_joints_comes_in_millimetres_with_renamed_toes() -> None:
    marks = np.ones((33, 3))
    metres = np.arange(99.0).reshape(33, 3)

    guess = guess_of(
        {
            "names": list(BLAZE33.joints),
            "keypoints2d": marks,
            "keypoints3d_m": metres,
            "score": 0.7,
        }
    )

    assert guess.joints_rel_mm is not None
    toe = BLAZE33.joints.index("left_foot_index")
    assert (
        guess.joints_rel_mm[JOINT_NAMES.index("left_toe")].tolist()
        == (1000 * metres[toe]).tolist()
    )
    assert guess.score == 0.7
