import numpy as np
import torch

from posecascade.models.lab.rendering import quaternions, rotations


def _some(count: int, seed: int) -> np.ndarray:
    q = np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32)
    return q / np.linalg.norm(q, axis=1, keepdims=True)


def test_numpy_and_torch_multiply_alike():
    a = _some(20, 0)
    b = _some(20, 1)
    by_torch = rotations.multiply(torch.from_numpy(a), torch.from_numpy(b)).numpy()

    np.testing.assert_allclose(quaternions.multiply(a, b), by_torch, atol=1e-6)


def test_a_matrix_turns_as_its_quaternion():
    q = _some(20, 2)
    v = np.random.default_rng(3).normal(size=(20, 3)).astype(np.float32)
    by_matrix = rotations.to_matrix(torch.from_numpy(q)).numpy() @ v[..., None]

    np.testing.assert_allclose(quaternions.rotate(q, v), by_matrix[..., 0], atol=1e-5)


def test_a_forearm_that_only_rolls_does_not_bend():
    hand = rotations.about_axis(1, torch.tensor([0.9]))  # a swing, no roll about x
    still = torch.tensor([[1.0, 0, 0, 0]])

    assert torch.allclose(
        rotations.half_twisted(still, hand, 0, swings=False), still, atol=1e-6
    )
