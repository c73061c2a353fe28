"""A policy over HTTP: its gate, its sessions, its document, and what it says to wrong requests."""

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import numpy as np
import pytest

pytest.importorskip("starlette", reason="a served policy needs the watch extra")
from policy_lives import planned, showing
from starlette.testclient import TestClient

from umwelt.cli.main import main
from umwelt.policy.describing import describe
from umwelt.policy.policy import Policy
from umwelt.policy.server import LARGEST, SESSIONS, application

TOKEN = "a-token-of-many-letters"
BEARER = {"authorization": f"Bearer {TOKEN}"}
SEEN = [1.0, 2.0, 3.0]


@pytest.fixture(scope="module")
def policy():
    learned = showing()
    return Policy(learned, describe(learned.world))


@pytest.fixture
def page(policy):
    """A client that shows the token."""
    app = application(policy, "mine", TOKEN, "http://127.0.0.1:8765")
    return TestClient(app, base_url="http://127.0.0.1:8765", headers=BEARER)


def test_what_a_policy_does_is_answered(page):
    answer = page.post("/act", json={"observation": SEEN})
    assert answer.status_code == 200
    assert answer.json() == {"action": [1, 0, 0, 6], "doubt": None, "first": True}
    second = page.post("/act", json={"observation": SEEN, "reward": 2.5}).json()
    assert second == {"action": [0, 2.5, 2.5, 6], "doubt": 2.5, "first": False}
    third = page.post("/act", json={"observation": SEEN, "reward": 1, "terminated": True}).json()
    assert third == {"action": [1, 0, 0, 6], "doubt": None, "first": True}
    assert page.post("/act", json={"observation": SEEN}).json()["first"] is False
    assert page.post("/reset", json={}).json() == {"session": ""}
    assert page.post("/act", json={"observation": SEEN}).json()["first"] is True


def test_sessions_act_apart_and_the_one_unused_for_longest_makes_room(page):
    act = lambda name: page.post("/act", json={"observation": SEEN, "reward": 1, "session": name}).json()["action"][2]  # noqa: E731
    assert [act("a"), act("a"), act("b"), act("a")] == [0, 1, 0, 2]
    for number in range(SESSIONS - 2):
        act(f"filler {number}")
    assert act("b") == 1, "all of them are there"
    act("one too many")
    assert act("b") == 2
    assert act("a") == 0, "it made room, and begins again"


def test_the_token_and_the_host_guard_every_route(policy):
    page = TestClient(application(policy, "mine", TOKEN), base_url="http://127.0.0.1:8765")
    for shown in ({}, {"authorization": "Bearer wrong"}):
        for method, path in (("POST", "/act"), ("POST", "/reset"), ("GET", "/openapi.json"), ("GET", "/")):
            assert page.request(method, path, headers=shown).status_code == 401
    assert page.post(f"/act?token={TOKEN}", json={"observation": SEEN}).status_code == 401
    assert page.post(f"/?token={TOKEN}").status_code == 401
    assert page.get(f"/?token={TOKEN}").status_code == 200
    assert page.get("/openapi.json").status_code == 200, "the cookie opens what only reads"
    assert page.post("/act", json={"observation": SEEN}).status_code == 401, "and nothing else"
    page.cookies.clear()
    assert page.post("/act", headers={**BEARER, "host": "example.com"}, json={"observation": SEEN}).status_code == 421
    assert page.put("/act", headers=BEARER).status_code == 405
    assert page.get("/act", headers=BEARER).status_code == 405
    assert page.get("/nowhere", headers=BEARER).status_code == 404


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        ("{", 400, "the request is no JSON"),
        (b"\xff\xfe\x00", 400, "the request is no JSON"),
        ("[" * 100_000, 400, "the request is no JSON"),
        ("[1, 2]", 400, "no JSON object"),
        ("{}", 422, "observation: it is missing"),
        ('{"observation": [1, 2]}', 422, "observation: expected numbers of shape [3], and it is of shape [2]"),
        ('{"observation": [1, 2, NaN]}', 422, "NaN or infinity"),
        ('{"observation": [1, 2, 1e999]}', 422, "NaN or infinity"),
        ('{"observation": {"a": 1}}', 422, "it is of type dict"),
        ('{"observation": [1, 2, 3], "terminated": 1}', 422, "terminated: expected true or false"),
        ('{"observation": [1, 2, 3], "reward": "much"}', 422, "reward: expected a finite number"),
        ('{"observation": [1, 2, 3], "reward": ' + "9" * 400 + "}", 422, "reward: expected"),
        ('{"observation": [1, 2, 3], "session": 4}', 422, "session: expected a text"),
        ('{"observation": [1, 2, 3], "obs": 4}', 422, "obs: not known here"),
        (b" " * (LARGEST + 1), 413, "larger than"),
    ],
)
def test_wrong_requests_are_answered_in_a_sentence(page, content, status, words):
    answer = page.post("/act", content=content)
    assert answer.status_code == status
    assert words in answer.json()["error"]


def test_a_wrong_reward_or_observation_changes_no_body(page):
    page.post("/act", json={"observation": SEEN})
    for wrong in ({"observation": SEEN, "reward": "much"}, {"observation": [1], "reward": 5}):
        assert page.post("/act", json=wrong).status_code == 422
    assert page.post("/act", json={"observation": SEEN, "reward": 2}).json()["action"] == [0, 2, 2, 6]


def test_the_document_says_what_is_asked_and_answered(page):
    document = page.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert {"title", "version"} <= set(document["info"])
    assert set(document["paths"]) == {"/act", "/reset"}
    schemas = document["components"]["schemas"]
    assert schemas["Asked"]["properties"]["observation"] == {
        "type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3,
    }  # fmt: skip
    assert document["security"] == [{"token": []}]
    assert document["components"]["securitySchemes"]["token"] == {"type": "http", "scheme": "bearer"}
    names = {name for path in document["paths"].values() for name in (path["post"]["operationId"],)}
    assert names == {"act", "reset"}
    for reference in references(document):
        found = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
    answer = page.post("/act", json={"observation": SEEN}).json()
    assert set(answer) == set(schemas["Answered"]["properties"]) == set(schemas["Answered"]["required"])
    for path in document["paths"].values():
        for operation in path.values():
            assert all(answer["description"] for answer in operation["responses"].values())


def references(node):
    """Every $ref inside a document."""
    if isinstance(node, dict):
        return [node["$ref"]] if "$ref" in node else [each for inner in node.values() for each in references(inner)]
    return [each for inner in node for each in references(inner)] if isinstance(node, list) else []


def test_the_page_explains_itself_with_a_line_of_curl(page):
    answer = page.get("/")
    assert "text/html" in answer.headers["content-type"]
    assert "curl -s http://127.0.0.1:8765/act" in answer.text
    assert TOKEN not in answer.text


def test_the_command_serves_until_it_is_stopped(tmp_path):
    planned(tmp_path)
    command = [sys.executable, "-m", "umwelt", "serve", "planned", "--lives", str(tmp_path), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        given = json.loads(server.stdout.readline())
        ask = urllib.request.Request(
            f"{given['address']}/act",
            data=json.dumps({"observation": [1.0, 0.0, 0.0]}).encode(),
            headers={"Authorization": f"Bearer {given['token']}"},
        )
        with urllib.request.urlopen(ask) as answer:
            found = json.load(answer)
        assert np.shape(found["action"]) == (1,)
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{given['address']}/openapi.json")
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=20) == 0
        assert server.stderr.read() == ""


def test_wrong_commands_end_with_one_sentence(tmp_path, capsys):
    for words, sentence in (
        (["nothing"], "there is no life at"),
        (["nothing", "--port", "70000"], "--port must be from 0 to 65535"),
        (["nothing", "--seed", "-1"], "--seed must be from 0"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["serve", *words, "--lives", str(tmp_path)])
        assert ended.value.code == 2
        assert sentence in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    words = capsys.readouterr().out
    assert "curl" in words
    assert "--token" in words
