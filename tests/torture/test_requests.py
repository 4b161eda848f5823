"""Requests made up from the server's own description of itself: none ends in a fault of the server, and every answer is one that is described."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings, strategies
from hypothesis.errors import Unsatisfiable
from running import Running
from schemathesis import GenerationMode, checks

# What requests name, so that those that are made up reach what is there too.
KNOWN = {
    "model": ["german_credit", "mnist_cnn", "glasslm_en", "none"],
    "version": ["1", "2"],
    "index": [0, 1, 10**9],
    "id": ["request-1", "x" * 200],
    "name": ["overview", "predictions", "prediction", "none"],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Running(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def description(server):
    """The server's description of itself, with names that are there."""
    server.json("/v1/models/german_credit:explain", {"instances": [{"age": 30}]})
    described = server.json("/openapi.json")
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", []):
                known = KNOWN.get(parameter["name"])
                if path == "/v1/models/{model}" and method == "post":
                    known = [f"{model}:{verb}" for model in KNOWN["model"] for verb in ("predict", "explain", "guess")]
                if known:
                    parameter["schema"]["enum"] = known
    schema = schemathesis.openapi.from_dict(described)
    schema.config.update(base_url=server.address)
    return schema


# Drawn anew each time, the same ones.
@settings(max_examples=20, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(data=strategies.data())
def answered_as_described(operation, mode, data):
    case = data.draw(operation.as_strategy(generation_mode=mode))
    case.call_and_validate(
        checks=[
            checks.not_a_server_error,
            checks.status_code_conformance,
            checks.content_type_conformance,
            checks.response_schema_conformance,
        ],
        timeout=60,
    )


# Requests as the description has them, and others that it does not allow.
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_made_up_requests_are_answered_as_described(server, description, mode):
    operations = [operation.ok() for operation in description.get_all_operations()]
    assert len(operations) > 25
    for operation in operations:
        try:
            answered_as_described(operation, mode)
        except Unsatisfiable:
            # Of some operations nothing can be asked wrongly.
            assert mode == GenerationMode.NEGATIVE
    assert server.json("/healthz") == {"status": "alive"}
