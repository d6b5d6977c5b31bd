"""Checkpoints of a deep stage against each other."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from posecascade.models.cascade.cascade import Cascade  # noqa: E402  (after the skip)
from posecascade.models.lab.datasets.labelled import LabelledFolder  # noqa: E402
from posecascade.models.lab.evaluation.checkpoints import (  # noqa: E402
    HeadRunner,
    Looker,
    Remembering,
    compared,
    main,
)
from posecascade.models.lab.networks.crop import CropStage  # noqa: E402
from posecascade.models.lab.networks.restored import restore_stage  # noqa: E402
from posecascade.models.lab.networks.torch_runner import TorchRunner  # noqa: E402
from posecascade.models.manifest import WEIGHTS  # noqa: E402
from posecascade.models.policies import AlwaysPolicy, NeverPolicy  # noqa: E402
from posecascade.models.records import Stage  # noqa: E402
from tests.doubles import FakeRunner  # noqa: E402
from tests.models.lab.evaluation.photo import labelled_photo  # noqa: E402


def stage(of: Stage = Stage.REFINE) -> CropStage:
    """As it ships."""
    module = restore_stage(of, WEIGHTS / f"{of}.onnx")
    assert isinstance(module, CropStage)
    return module


def with_other_head(seed: int) -> CropStage:
    module = stage()
    torch.manual_seed(seed)
    with torch.no_grad():
        module.head.output_layer.weight.mul_(
            1 + 0.5 * torch.randn_like(module.head.output_layer.weight)
        )
    return module


def with_other_networks() -> CropStage:
    module = stage()
    with torch.no_grad():
        next(module.network.parameters()).add_(1)
    return module


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Cascade, LabelledFolder]:
    cascade = Cascade.load(WEIGHTS)
    return cascade, labelled_photo(tmp_path_factory.mktemp("labelled"), cascade)


def inputs(module: CropStage) -> Mapping[str, np.ndarray]:
    return {name: value.numpy() for name, value in module.example_inputs().items()}


def test_a_head_on_a_shared_look_says_what_its_stage_says():
    module = stage()
    whole, apart = (
        runner.run(inputs(module))
        for runner in (TorchRunner(module), HeadRunner(module, Looker(module)))
    )
    assert whole.keys() == apart.keys()
    assert all(np.array_equal(whole[name], apart[name]) for name in whole)


def test_the_same_batch_is_run_once_and_another_again():
    inner = FakeRunner()
    runner = Remembering(inner)
    one = {"x": np.zeros((2, 3))}
    other = {"x": np.ones((2, 3))}
    answers = [runner.run(batch)["score"].tolist() for batch in (one, one, other, one)]
    assert answers == [[0, 0], [0, 0], [1, 1], [0, 0]]
    assert inner.seen == [2, 2, 2]


def found(
    data: tuple[Cascade, LabelledFolder], *sides: list[CropStage]
) -> dict[str, Any]:
    cascade, folder = data
    gates = [(AlwaysPolicy(), 0.0), (NeverPolicy(), 0.0)]
    return {one.who: one for one in compared(cascade, *sides, folder, gates, rounds=20)}


def test_a_checkpoint_changes_nothing_against_itself(data):
    everybody = found(data, [stage()], [stage()])["everybody"]
    assert {change.difference.value for change in everybody.changes.values()} == {0.0}


def test_another_head_changes_the_body(data):
    everybody = found(data, [stage()], [with_other_head(1)])["everybody"]
    assert everybody.changes["mpjpe"].difference.value != 0


def test_seeds_are_pooled_in_pairs(data):
    one = with_other_head(1)
    other = with_other_head(2)
    apart = [
        found(data, [stage()], [side])["everybody"].changes["mpjpe"]
        for side in (one, other)
    ]
    both = found(data, [stage(), stage()], [one, other])["everybody"].changes["mpjpe"]
    assert both.people == 2 * apart[0].people
    assert both.after == pytest.approx((apart[0].after + apart[1].after) / 2)


def test_those_whom_a_router_sends_on_are_looked_at_apart(data):
    groups = found(data, [stage()], [stage()])
    assert 0 < groups["sent on by always at 0"].people <= groups["everybody"].people
    assert groups["sent on by never at 0"].people == 0


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (lambda: stage(Stage.EXPERT), "of one stage"),
        (with_other_networks, "other picture networks"),
    ],
)
def test_checkpoints_that_differ_in_more_than_their_heads_are_refused(
    data, other, said
):
    with pytest.raises(ValueError, match=said):
        found(data, [stage()], [other()])


def test_a_missing_checkpoint_is_one_line(tmp_path, capsys):
    status = main(
        [
            "--before",
            str(tmp_path / "a.pt"),
            "--after",
            str(tmp_path / "b.pt"),
            "--data",
            str(tmp_path),
        ]
    )
    assert status == 2
    assert "no such checkpoint" in capsys.readouterr().err
