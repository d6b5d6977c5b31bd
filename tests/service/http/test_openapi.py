"""The description is true: every error that is sent is described, and made-up requests get no other answers.

A longer hunt, by hand, against a running service: `schemathesis run URL/v1/openapi.json --max-time 120`.
"""

import threading
import time
from collections.abc import Iterator

import pytest
import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from posecascade.service import errors
from posecascade.service.app import create_app
from posecascade.service.http.parameters import Parameters
from posecascade.service.settings import Settings
from posecascade.service.wire.skeleton import Skeleton
from posecascade.service.wire.stream_messages import Ready
from tests.doubles import FakeCascade


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Settings(), cascade_loader=lambda _: FakeCascade())  # type: ignore[arg-type,return-value]


def test_every_error_of_the_tree_is_described_where_it_may_come(app: FastAPI) -> None:
    answers = app.openapi()["paths"]["/v1/poses"]["post"]["responses"]
    text = {int(status): answer["description"] for status, answer in answers.items()}
    elsewhere = {
        "not_found",
        "method_not_allowed",
        "internal",
        "client_gone",
    }  # of no path of ours, or never meant

    for kind in vars(errors).values():
        if (
            isinstance(kind, type)
            and getattr(kind, "code", None)
            and kind.code not in elsewhere
        ):
            assert f"`{kind.code}`" in text[kind.status]
            assert answers[str(kind.status)]["content"].keys() == {
                "application/problem+json"
            }


def test_every_parameter_is_described_with_its_bounds(app: FastAPI) -> None:
    described = {
        entry["name"]: entry
        for entry in app.openapi()["paths"]["/v1/poses"]["post"]["parameters"]
    }

    assert list(described) == list(Parameters.model_fields)
    assert described["max_people"]["schema"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 64,
        "default": 32,
    }
    assert described["price"]["schema"] == {"type": "number", "minimum": 0}
    assert all(entry["description"] for entry in described.values())


def test_every_reference_leads_somewhere(app: FastAPI) -> None:
    document = app.openapi()

    def check(part: object) -> None:
        if isinstance(part, dict):
            if "$ref" in part:
                assert (
                    part["$ref"].rsplit("/", 1)[1] in document["components"]["schemas"]
                )
            for value in part.values():
                check(value)
        elif isinstance(part, list):
            for value in part:
                check(value)

    check(document)
    assert document["openapi"] == "3.1.0"


def test_the_model_is_described_with_the_skeleton_of_the_streams(app: FastAPI) -> None:
    schemas = app.openapi()["components"]["schemas"]
    skeletons = schemas["ModelReply"]["properties"]["skeletons"]

    assert skeletons["additionalProperties"] == {
        "$ref": "#/components/schemas/Skeleton"
    }
    assert set(schemas["Skeleton"]["required"]) == set(Skeleton.model_fields)
    assert Ready.model_fields["skeleton"].annotation is Skeleton


@pytest.fixture(scope="module")
def url(app: FastAPI) -> Iterator[str]:
    """The app on a free port, in a thread of its own."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not (server.started and app.state.service.engine.refusal() is None):
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize(
    "positive", [True, False], ids=["as described", "not as described"]
)
def test_made_up_requests_get_described_answers(url: str, positive: bool) -> None:
    mode = GenerationMode.POSITIVE if positive else GenerationMode.NEGATIVE
    for operation in schemathesis.openapi.from_url(
        f"{url}/v1/openapi.json"
    ).get_all_operations():

        @settings(
            max_examples=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @given(operation.ok().as_strategy(generation_mode=mode))
        def requested(case: schemathesis.Case) -> None:
            case.call_and_validate(
                checks=(
                    not_a_server_error,
                    status_code_conformance,
                    content_type_conformance,
                    response_schema_conformance,
                )
            )

        try:
            requested()
        except Unsatisfiable:  # a route without parameters cannot be asked wrongly
            assert not positive
