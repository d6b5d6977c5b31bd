"""A saved state is whole or the one before, and its parts stay small."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from posecascade.models.lab.training.state import load_state, save_state  # noqa: E402  (after the skip)

CPU = torch.device("cpu")


def numbers(count, fill):
    return {"weights": torch.full((count,), fill)}


def test_nothing_saved_is_no_state(tmp_path):
    assert load_state(tmp_path, CPU) is None


def test_a_state_comes_back_from_small_parts(tmp_path):
    save_state(tmp_path, 7, numbers(5000, 2.0), part_bytes=4096)
    parts = sorted(tmp_path.glob("*.part*"))
    assert len(parts) > 3
    assert max(part.stat().st_size for part in parts) <= 4096
    assert torch.equal(load_state(tmp_path, CPU)["weights"], torch.full((5000,), 2.0))


def test_only_the_last_state_is_kept(tmp_path):
    save_state(tmp_path, 1, numbers(10, 1.0))
    save_state(tmp_path, 2, numbers(10, 2.0))
    assert [part.name for part in tmp_path.glob("*.part*")] == ["state-0000002.part00"]
    assert load_state(tmp_path, CPU)["weights"][0] == 2.0


def test_what_a_kill_left_half_written_does_not_count_and_is_cleared_away(tmp_path):
    save_state(tmp_path, 1, numbers(10, 1.0))
    for name in ("state-0000002.part00", "state.partial"):
        (tmp_path / name).write_bytes(b"to")
    assert load_state(tmp_path, CPU)["weights"][0] == 1.0
    save_state(tmp_path, 3, numbers(10, 3.0))
    assert [part.name for part in tmp_path.glob("*.part*")] == ["state-0000003.part00"]


def test_a_damaged_part_is_refused_with_the_folder(tmp_path):
    save_state(tmp_path, 1, numbers(10, 1.0))
    next(tmp_path.glob("*.part*")).write_bytes(b"torn")
    with pytest.raises(ValueError, match=f"{tmp_path}: the saved state is damaged"):
        load_state(tmp_path, CPU)
