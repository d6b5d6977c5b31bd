"""The parts of the deep stages, taken away one at a time, on a picture that the cascade itself has labelled."""

import pytest

pytest.importorskip("torch", reason="needs the extra `train`")

from posecascade.models.cascade.cascade import Cascade
from posecascade.models.lab.evaluation.ablation import (
    VARIANTS,
    Line,
    as_markdown,
    lines_of,
)
from posecascade.models.lab.scoring.figures import Summary
from posecascade.models.manifest import WEIGHTS
from posecascade.models.records import Stage
from tests.models.lab.evaluation.photo import labelled_photo


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    cascade = Cascade.load(WEIGHTS)
    folder = labelled_photo(tmp_path_factory.mktemp("labelled"), cascade)
    return list(lines_of(cascade, WEIGHTS, folder, rounds=10))


def expert(lines: list[Line], variant: str) -> Summary:
    return next(
        line.summary
        for line in lines
        if line.stage is Stage.EXPERT and line.variant == variant
    )


def test_every_deep_stage_is_asked_in_every_variant(lines):
    assert [(line.stage, line.variant) for line in lines] == [
        (stage, variant)
        for stage in (Stage.REFINE, Stage.EXPERT)
        for variant in VARIANTS
    ]


def test_expert_as_it_ships_says_what_the_cascade_said(lines):
    figures = expert(lines, "as it ships").figures
    assert figures["found"].value == 100
    assert figures["mpjpe"].value < 1


@pytest.mark.parametrize(
    "variant", [variant for variant in VARIANTS if variant != "as it ships"]
)
def test_each_part_that_is_taken_away_changes_the_answer(lines, variant):
    assert expert(lines, variant).figures["mpjpe"].value > 1


def test_the_table_has_a_row_a_line(lines):
    text = as_markdown("labelled", lines)
    assert text.startswith("`labelled`")
    assert text.count("\n| refine |") == text.count("\n| expert |") == len(VARIANTS)
