"""A saved state is whole or the one before, and its parts stay small."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from models.training import state  # noqa: E402  (after the skip)
from models.training.state import load_state, save_state  # noqa: E402

CPU = torch.device("cpu")


def numbers(count, fill):
    return {"weights": torch.full((count,), fill)}


def test_nothing_saved_is_no_state(tmp_path):
    assert load_state(tmp_path, CPU) is None


def test_a_state_comes_back_from_small_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(state, "PART_BYTES", 4096)
    save_state(tmp_path, 7, numbers(5000, 2.0))
    parts = sorted(tmp_path.glob("*.part*"))
    assert len(parts) > 3
    assert max(part.stat().st_size for part in parts) <= 4096
    assert torch.equal(load_state(tmp_path, CPU)["weights"], torch.full((5000,), 2.0))


def test_only_the_last_state_is_kept(tmp_path):
    save_state(tmp_path, 1, numbers(10, 1.0))
    save_state(tmp_path, 2, numbers(10, 2.0))
    assert [part.name for part in tmp_path.glob("*.part*")] == ["state-0000002.part00"]
    assert load_state(tmp_path, CPU)["weights"][0] == 2.0


def test_a_kill_while_writing_leaves_the_state_before(tmp_path, monkeypatch):
    save_state(tmp_path, 1, numbers(10, 1.0))

    def cut(path, data):
        path.write_bytes(bytes(data)[:3])
        raise KeyboardInterrupt

    monkeypatch.setattr(state, "_write", cut)
    with pytest.raises(KeyboardInterrupt):
        save_state(tmp_path, 2, numbers(10, 2.0))
    assert load_state(tmp_path, CPU)["weights"][0] == 1.0


def test_a_damaged_part_is_refused_with_the_folder(tmp_path):
    save_state(tmp_path, 1, numbers(10, 1.0))
    next(tmp_path.glob("*.part*")).write_bytes(b"torn")
    with pytest.raises(ValueError, match=f"{tmp_path}: the saved state is damaged"):
        load_state(tmp_path, CPU)
