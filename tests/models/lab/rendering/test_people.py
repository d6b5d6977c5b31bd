import json

import numpy as np
import pytest
import torch

from posecascade.models.lab.datasets.labelled import read_folder
from posecascade.models.lab.rendering import SyntheticPeople, raster_torch
from posecascade.models.lab.rendering.labels import entry, write_labelled
from posecascade.models.lab.rendering.raster import Triangles, rasterise


@pytest.fixture(scope="module")
def people(assets):
    return SyntheticPeople(assets, "dev", 96)


@pytest.fixture(scope="module")
def batch(people):
    return next(people.batches(4, seed=1, batch=4))


def test_equal_seeds_give_equal_pictures(people, batch):
    again, _ = next(people.batches(4, seed=1, batch=4))

    assert torch.equal(again, batch[0])


def test_any_worker_draws_its_share_of_the_run(people):
    whole = [images for images, _ in people.batches(3, seed=2, batch=1)]
    second = [
        images for images, _ in people.batches(3, seed=2, batch=1, worker=1, workers=2)
    ]

    assert len(whole) == 3
    assert len(second) == 1
    assert torch.equal(second[0], whole[1])


def test_pixels_are_where_the_intrinsics_put_the_joints(batch):
    truth = batch[1]
    joints = truth["joints_mm"]
    camera = truth["K"][truth["frame"]]
    before = joints[..., 2] > 150
    homogeneous = joints @ camera.transpose(1, 2)
    expected = homogeneous[..., :2] / homogeneous[..., 2:]

    assert torch.allclose(truth["joints_px"][before], expected[before], atol=0.05)


def test_the_splits_share_no_body(people, assets):
    other = SyntheticPeople(assets, "train", 32)
    dev, train = (
        set(source.scenes(0, 32, 0, 32).people.shape.tolist())
        for source in (people, other)
    )

    assert dev
    assert train
    assert not dev & train


def test_the_fast_z_buffer_agrees_with_the_plain_one():
    rng = np.random.default_rng(0)
    xyz = torch.from_numpy(
        rng.uniform([0, 0, 1], [64, 64, 9], (90, 3)).astype(np.float32)
    )
    maps = torch.from_numpy(rng.integers(0, 256, (2, 8, 8)).astype(np.uint8))
    uv = torch.from_numpy(rng.uniform(0, 1, (30, 3, 2)).astype(np.float32))
    frame, layer = (torch.from_numpy(rng.integers(low, 2, 30)) for low in (0, -1))
    triangles = Triangles(
        xyz, torch.arange(90).view(-1, 3), frame, 2, 64, layer, uv, maps
    )
    fast = rasterise(triangles)
    plain = raster_torch.rasterise(triangles)

    assert (fast.triangle == plain.triangle).float().mean() > 0.999
    both = (fast.triangle == plain.triangle) & (plain.triangle >= 0)
    assert torch.allclose(fast.depth[both], plain.depth[both], rtol=1e-4)


def test_a_labelled_folder_of_them_can_be_evaluated(people, tmp_path):
    write_labelled(tmp_path, people.batches(4, seed=1, batch=4), "dev")
    folder = read_folder(tmp_path)

    assert len(folder.frames) == 4
    assert sum(len(frame.people) for frame in folder.frames) > 0
    assert all(frame.camera is not None for frame in folder.frames)
    assert json.loads((tmp_path / "labels.json").read_text())["split"] == "dev"


def test_a_film_of_them_says_when_and_who(people, tmp_path):
    write_labelled(tmp_path, [people.sequence(3, frames=3, fps=25)], "dev", fps=25)
    frames = read_folder(tmp_path).frames

    assert [frame.time_s for frame in frames] == [0, 0.04, 0.08]
    assert (
        {person.id for person in frames[0].people}
        == {person.id for person in frames[2].people}
        != set()
    )


def test_labels_say_which_groups_everybody_is_of(people, tmp_path):
    write_labelled(
        tmp_path, people.batches(4, seed=1, batch=4), "dev", census=people.census()
    )
    reported = [
        person for frame in read_folder(tmp_path).frames for person in frame.people
    ]

    assert {tuple(person.groups) for person in reported} == {
        ("skin", "age", "sex", "build", "stature", "suit", "hair")
    }
    assert all(person.body % 8 == 7 for person in reported)  # those of dev
    assert {person.groups["suit"] for person in reported} <= {
        "female_sportsuit01",
        "male_casualsuit03",
    }


def test_who_shows_too_few_joints_is_ignored():
    vis = np.zeros((3, 25), np.uint8)
    vis[0], vis[1, :5] = 3, 3
    truth = {
        "K": np.eye(3)[None], "frame": np.zeros(3, int), "pixels": np.array([50, 20, 0]), "vis": vis,
        "joints_px": np.ones((3, 25, 2)), "joints_mm": np.full((3, 25, 3), 900.0),
        "box": np.tile([-5.0, 2, 40, 30], (3, 1)), "id": np.arange(3),
    }  # fmt: skip
    found = entry("0.jpg", 32, truth, 0)

    assert [person["id"] for person in found["people"]] == [0]
    assert found["ignore"] == [[0, 2, 32, 30]]
