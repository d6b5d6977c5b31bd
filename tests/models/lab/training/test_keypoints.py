"""What the losses of the crop network count, and that a run learns, measures and resumes."""

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from posecascade.models.lab.networks.movenet import STRIDE, Maps, MoveNet  # noqa: E402  (after the skip)
from posecascade.models.lab.networks.pretrained import load_movenet  # noqa: E402
from posecascade.models.lab.scoring.true_boxes import highest_cells  # noqa: E402
from posecascade.models.lab.training.keypoints import (  # noqa: E402
    CropBatch,
    KeypointSchedule,
    KeypointWeights,
    focal_loss,
    keypoint_losses,
    load_network,
    offset_loss,
    peaks_at,
    regress_loss,
    save_network,
    train,
)
from posecascade.models.skeleton import COCO17  # noqa: E402
from tests.models.lab.datasets.people import folder, image  # noqa: E402

START = Path("models/weights/refine.onnx")
HEIGHT, WIDTH = 16, 24


def batch(people: int = 2) -> CropBatch:
    """Noise with joints at random places; the first joint has no label, the second is out of the picture."""
    g = torch.Generator().manual_seed(0)
    joints = torch.rand(people, 17, 2, generator=g) * torch.tensor([WIDTH, HEIGHT])
    labelled, shown = torch.ones(2, people, 17)
    labelled[:, 0] = shown[:, 0] = shown[:, 1] = 0
    joints[:, 1] = torch.tensor([-5.0, 3.0])
    size = (people, STRIDE * HEIGHT, STRIDE * WIDTH, 3)
    return CropBatch(
        image_bgr=torch.randint(0, 256, size, dtype=torch.uint8, generator=g),
        joints=joints,
        labelled=labelled,
        shown=shown,
        center=torch.tensor([[WIDTH / 2, HEIGHT / 2]]).expand(people, 2),
        size=torch.full((people,), 10.0),
    )


def right_offsets(of: CropBatch) -> "torch.Tensor":
    """[N, 34, h, w] each cell points at each joint."""
    rows = torch.arange(HEIGHT).view(-1, 1).expand(HEIGHT, WIDTH)
    columns = torch.arange(WIDTH).expand(HEIGHT, WIDTH)
    x, y = of.joints[..., None, None].unbind(2)  # [N, 17, 1, 1]
    return torch.stack([y - rows, x - columns], 2).flatten(1, 2)


def test_an_undecided_cell_costs_a_quarter_of_log_two():
    one = torch.ones(1, 1)
    undecided = torch.zeros(1, 1, 1, 1)

    at_peak = focal_loss(undecided, torch.ones(1, 1, 1, 1), one)
    beside = focal_loss(undecided, torch.full((1, 1, 1, 1), 0.5), one)

    assert at_peak.item() == pytest.approx(0.25 * math.log(2))
    assert beside.item() == pytest.approx(0.5**4 * 0.25 * math.log(2))
    assert focal_loss(undecided, torch.ones(1, 1, 1, 1), 0 * one).item() == 0


def test_a_peak_is_one_in_the_joints_own_cell_and_nowhere_without_a_joint():
    of = batch()
    truth = peaks_at(of.joints, of.shown, HEIGHT, WIDTH)
    cells = of.joints.floor().long()

    assert (truth[:, :2] == 0).all()
    assert (truth == 1).sum() == of.shown.sum()
    for joint in range(2, 17):
        x, y = cells[0, joint]
        assert truth[0, joint, y, x] == 1


def test_offsets_and_regressed_joints_at_the_truth_cost_nothing():
    of = batch()
    truth = peaks_at(of.joints, of.shown, HEIGHT, WIDTH)
    right = right_offsets(of)

    assert offset_loss(right, truth, of.joints).item() < 2e-3
    assert regress_loss(right, of).item() < 2e-3
    assert offset_loss(right + 1, truth, of.joints).item() == pytest.approx(2**0.5)


def test_peaks_and_offsets_lead_back_to_the_joints():
    of = batch()
    truth = peaks_at(of.joints, of.shown, HEIGHT, WIDTH)
    middle = torch.zeros(2, 1, HEIGHT, WIDTH)
    read = highest_cells(Maps(middle, right_offsets(of), truth, right_offsets(of)))

    seen = of.shown > 0
    torch.testing.assert_close(read[seen], STRIDE * of.joints[seen])


def test_a_joint_without_a_label_teaches_nothing():
    of = batch()
    torch.manual_seed(0)
    heat = torch.randn(2, 17, HEIGHT, WIDTH, requires_grad=True)
    offsets = torch.randn(2, 34, HEIGHT, WIDTH, requires_grad=True)
    maps = Maps(torch.zeros(2, 1, HEIGHT, WIDTH), offsets, heat, offsets)
    keypoint_losses(maps, of, KeypointWeights())["total"].backward()

    assert heat.grad is not None
    assert offsets.grad is not None
    assert (heat.grad[:, 0] == 0).all()
    assert (offsets.grad[:, :2] == 0).all()
    assert (heat.grad[:, 1] != 0).any()  # out of the picture: nothing is to be found


def test_a_few_steps_lower_the_loss_on_a_batch():
    network = load_movenet("lightning", START)
    adam = torch.optim.AdamW(network.parameters(), 2e-4)
    of = batch()
    losses = []
    for _ in range(8):
        total = keypoint_losses(network(of.image_bgr), of, KeypointWeights())["total"]
        adam.zero_grad()
        total.backward()
        adam.step()
        losses.append(total.item())

    assert losses[-1] < 0.8 * losses[0]


def photos(path: Path) -> Path:
    """Twelve noisy photos of one person each."""
    rng = np.random.default_rng(1)
    joints = {
        name: [*rng.uniform(10, 80, 2).round().tolist(), 2] for name in COCO17.joints
    }
    images = [
        image(f"{number}.png", width=96, height=96, trainable=True)
        | {"people": [{"joints2d": joints, "box": [5, 5, 85, 85]}]}
        for number in range(12)
    ]
    made = folder(path, *images)
    for number in range(12):
        noise = rng.integers(0, 256, (96, 96, 3)).astype(np.uint8)
        cv2.imwrite(str(made / f"{number}.png"), noise)
    return made


def test_a_finished_run_is_read_back_and_not_trained_further(tmp_path):
    schedule = KeypointSchedule(
        steps=2, batch=2, warm_up=1, checkpoint_every=1, evaluate_every=2
    )
    data = photos(tmp_path / "photos")

    def run() -> MoveNet:
        out = tmp_path / "out"
        return train(data, out, START, schedule, seed=1, device=torch.device("cpu"))

    first = run().state_dict()
    again = run().state_dict()
    lines = (tmp_path / "out" / "held_out.jsonl").read_text().splitlines()

    assert [json.loads(line)["step"] for line in lines] == [0, 2]
    assert all(torch.equal(first[name], again[name]) for name in first)
    started = load_movenet("lightning", START).state_dict()
    assert any(not torch.equal(first[name], started[name]) for name in first)


def test_a_saved_network_reads_as_before(tmp_path):
    network = load_movenet("lightning", START)
    shown = batch().image_bgr
    save_network(network, tmp_path / "network.pt")
    again = load_network(tmp_path / "network.pt")

    with torch.inference_mode():
        before = network(shown)
        after = again(shown)
    for name in Maps._fields:
        torch.testing.assert_close(
            getattr(after, name), getattr(before, name), atol=0.02, rtol=0.01
        )


def test_another_file_is_refused(tmp_path):
    (tmp_path / "network.pt").write_bytes(b"nothing")

    with pytest.raises(ValueError, match="no crop network"):
        load_network(tmp_path / "network.pt")
