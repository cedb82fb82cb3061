"""Operations that Schemathesis makes of the clients' schema, sent to the running program.

They are sent as somebody who has an account. Whatever they are: no answer is a failure of the server, each
has the form that GraphQL says, its data are what the schema promises, and what is valid by the schema is not
refused as invalid. `SPACEY_BIN` names the program; the operations are the same in every run.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import graphql
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.graphql import nodes

SDL = Path(__file__).parents[2] / "schema" / "api.graphql"
EXAMPLES = int(os.environ.get("SPACEY_GENERATED_EXAMPLES", "12"))
ACCOUNT = {"email": "ada@example.org", "password": "correct horse battery staple"}
# These end the session that they are sent with.
ENDS_THE_SESSION = {"logOut", "endSession"}

# The library knows no way to answer in parts, which nothing here asks for.
IN_PARTS = {"defer", "stream"}
DEFINITIONS = graphql.parse(SDL.read_text()).definitions
DOCUMENT = graphql.DocumentNode(
    definitions=tuple(
        each
        for each in DEFINITIONS
        if not (isinstance(each, graphql.DirectiveDefinitionNode) and each.name.value in IN_PARTS)
    )
)
GRAPH = graphql.build_ast_schema(DOCUMENT)
# Texts, in place of literals of any kind: they are what most scalars refuse or take as a whole.
for scalar in GRAPH.type_map.values():
    if isinstance(scalar, graphql.GraphQLScalarType) and scalar.name not in graphql.specified_scalar_types:
        schemathesis.graphql.scalar(scalar.name, st.text(max_size=20).map(nodes.String))

SCHEMA = schemathesis.graphql.from_file(graphql.print_ast(DOCUMENT))
OPERATIONS = [operation.ok() for operation in SCHEMA.get_all_operations()]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(origin: str, query: str, token: str | None = None) -> requests.Response:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return requests.post(f"{origin}/graphql", json={"query": query}, headers=headers, timeout=30)


def data(origin: str, query: str) -> Any:
    body = ask(origin, query).json()
    assert "errors" not in body, body
    return body["data"]


@pytest.fixture(scope="session")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("data"), free_port()
    environment = {
        **os.environ,
        "PORT": str(port),
        "SPACEY_DATA_DIR": str(folder),
        "SPACEY_LOG": "warn",
        # More is asked for in a moment than any client is granted.
        "SPACEY_COST_MAXIMUM_MODE": "off",
        "SPACEY_COST_THROTTLE_MODE": "off",
    }
    log = (folder / "log").open("w")
    server = subprocess.Popen(
        [os.environ["SPACEY_BIN"], "serve"],
        env=environment,
        cwd=folder,
        stdout=log,
        stderr=log,
    )
    origin = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while True:
        assert server.poll() is None, (folder / "log").read_text()
        try:
            if requests.get(f"{origin}/health/ready", timeout=5).ok:
                break
        except requests.ConnectionError:
            pass
        assert time.monotonic() < deadline, "the server was not ready"
        time.sleep(0.05)
    yield origin
    assert server.poll() is None, (folder / "log").read_text()
    server.terminate()
    assert server.wait(timeout=15) == 0
    assert "panicked" not in (folder / "log").read_text()


@pytest.fixture(scope="session")
def tokens(origin: str) -> Iterator[str]:
    """Access tokens of sessions of their own."""
    email, password = ACCOUNT["email"], ACCOUNT["password"]
    person = f'{{email: "{email}", password: "{password}", name: "Ada"}}'
    data(origin, f"mutation {{ signUp(input: {person}) {{ __typename }} }}")
    login = f'mutation {{ logIn(input: {{email: "{email}", password: "{password}"}}) {{ accessToken }} }}'

    def endless() -> Iterator[str]:
        while True:
            yield data(origin, login)["logIn"]["accessToken"]

    return endless()


@pytest.fixture
def token(tokens: Iterator[str]) -> str:
    return next(tokens)


@pytest.mark.parametrize("operation", OPERATIONS, ids=[operation.label for operation in OPERATIONS])
def test_operation(operation: Any, origin: str, token: str, tokens: Iterator[str]) -> None:
    name = operation.label.split(".")[1]

    @seed(20261130)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def holds(case: Any) -> None:
        document = case.body if isinstance(case.body, str) else case.body["query"]
        response = ask(origin, document, next(tokens) if name in ENDS_THE_SESSION else token)
        check(document, response)

    holds()


def check(document: str, response: requests.Response) -> None:
    assert response.status_code < 500, response.text
    body = response.json()
    assert body.keys() <= {"data", "errors", "extensions"}, body
    assert body.keys() & {"data", "errors"}, body
    for error in body.get("errors", []):
        assert isinstance(error["message"], str), error
        assert error["message"], error
        # The library knows nothing of `@oneOf`, and gives such inputs null or several fields.
        if "takes exactly one field, and never null" in error["message"]:
            continue
        code = error["extensions"]["code"]
        assert code not in {
            "INTERNAL_SERVER_ERROR",
            "GRAPHQL_VALIDATION_FAILED",
            "GRAPHQL_PARSE_FAILED",
        }, error
    if body.get("data") is None:
        assert body["errors"], body
        return
    parsed = graphql.parse(document)
    (operation,) = [
        definition
        for definition in parsed.definitions
        if isinstance(definition, graphql.OperationDefinitionNode)
    ]
    root = GRAPH.get_root_type(operation.operation)
    assert root is not None
    conforms(root, operation.selection_set.selections, body["data"], "data")


def conforms(of: graphql.GraphQLObjectType, selections: Any, value: dict[str, Any], at: str) -> None:
    """Whether an object has what was selected, and each of it is of its type."""
    for selection in selections:
        if isinstance(selection, graphql.InlineFragmentNode):
            condition = selection.type_condition.name.value if selection.type_condition else of.name
            wanted = GRAPH.type_map[condition]
            fits = wanted is of or (graphql.is_abstract_type(wanted) and GRAPH.is_sub_type(wanted, of))
            if fits:
                conforms(of, selection.selection_set.selections, value, at)
            continue
        name = selection.name.value
        key = selection.alias.value if selection.alias else name
        assert key in value, f"{at}.{key} is missing"
        if name == "__typename":
            assert value[key] == of.name
        else:
            is_of(of.fields[name].type, selection, value[key], f"{at}.{key}")


def is_of(kind: Any, selection: Any, value: Any, at: str) -> None:
    if graphql.is_non_null_type(kind):
        assert value is not None, f"{at} is null"
        kind = kind.of_type
    if value is None:
        return
    if graphql.is_list_type(kind):
        assert isinstance(value, list), f"{at} is no list"
        for index, item in enumerate(value):
            is_of(kind.of_type, selection, item, f"{at}[{index}]")
    elif graphql.is_enum_type(kind):
        assert value in kind.values, f"{at}: {value} is no {kind}"
    elif graphql.is_object_type(kind):
        assert isinstance(value, dict), f"{at} is no object"
        conforms(kind, selection.selection_set.selections, value, at)
    elif graphql.is_scalar_type(kind):
        expected = {
            "Int": int,
            "Float": (int, float),
            "String": str,
            "ID": str,
            "Boolean": bool,
        }.get(kind.name)
        assert expected is None or isinstance(value, expected), f"{at}: {value!r} is no {kind}"
    else:
        # Of an interface or a union: which object it is, is known where it was asked for.
        assert isinstance(value, dict), f"{at} is no object"
        if (name := value.get("__typename")) is not None:
            conforms(GRAPH.type_map[name], selection.selection_set.selections, value, at)
