import dataclasses
import logging

import pytest

from posecascade.models.records import Stage
from posecascade.models.runners.engines import EngineCache, EngineKey
from posecascade.models.runners.profiles import Profile

KEY = EngineKey(
    Stage.REFINE, "tensorrt 11.4.0", "sm_89", "ab" * 32, (Profile(None, (1, 4)),)
)


def test_a_kept_engine_comes_back(tmp_path):
    EngineCache(tmp_path / "made").store(KEY, b"engine\nof lines")

    assert EngineCache(tmp_path / "made").load(KEY) == b"engine\nof lines"


@pytest.mark.parametrize(
    "change",
    [
        {"runtime": "tensorrt 11.4.1"},
        {"architecture": "sm_90"},
        {"onnx_sha256": "cd" * 32},
        {"profiles": (Profile(None, (1, 8)),)},
        {"profiles": (Profile((256, 448), (1, 4)),)},
        {"stage": Stage.EXPERT},
    ],
)
def test_an_engine_is_kept_for_one_library_one_gpu_one_network_and_its_shapes(
    tmp_path, change
):
    cache = EngineCache(tmp_path)
    cache.store(KEY, b"engine")

    assert cache.load(dataclasses.replace(KEY, **change)) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content + b"!",
        lambda content: b"\xff" + content,
    ],
)
def test_a_damaged_file_counts_as_none_and_is_told(tmp_path, caplog, damage):
    cache = EngineCache(tmp_path)
    cache.store(KEY, b"engine")
    cache.path(KEY).write_bytes(damage(cache.path(KEY).read_bytes()))

    assert cache.load(KEY) is None
    assert "damaged" in caplog.text


def test_a_folder_that_cannot_be_written_is_told_and_no_error(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    cache = EngineCache(tmp_path / "file")
    cache.store(KEY, b"engine")

    assert cache.load(KEY) is None
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "built at every start" in caplog.text
