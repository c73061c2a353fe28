"""Serve a policy over HTTP to this machine, behind the gate of `umwelt watch`."""

import contextlib
import html
import json
import math
import signal
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from umwelt.policy.openapi import document
from umwelt.policy.policy import Policy
from umwelt.watch.gate import Gate
from umwelt.watch.serve import checked_token, listen

HOST = "127.0.0.1"
SESSIONS, LONGEST_NAME = 64, 200
"""The most bodies at once, and the longest name of one."""
LARGEST_REWARD = float(np.finfo(np.float32).max)
LARGEST = 4 * 2**20
"""The most bytes of a request."""
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{life}</title></head><body>
<h1>The policy of the life {life}</h1>
<p>POST /act takes an observation and answers with an action. The first call of a session begins an episode.
Send what the action brought with the next observation; after an end, that observation begins an episode.
POST /reset begins a session again. <a href="/openapi.json">/openapi.json</a> has the forms of both.</p>
<pre>curl -s {link}/act -H "Authorization: Bearer $TOKEN" -d '{{"observation": ..., "reward": 0.0, "session": "mine"}}'</pre>
<p>It reads observations of this form: <code>{observation}</code></p></body></html>
"""


class Sessions:
    """One body for each name. The one that was used longest ago makes room for a new one."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.bodies: OrderedDict[str, Policy] = OrderedDict()

    def body(self, name: str) -> Policy:
        """The body called `name`, before its first step where it is new."""
        if name not in self.bodies:
            self.bodies[name] = self.policy.another()
        self.bodies.move_to_end(name)
        while len(self.bodies) > SESSIONS:
            self.bodies.popitem(last=False)
        return self.bodies[name]


class Answers:
    """The routes of a served policy. link: where it is served."""

    def __init__(self, policy: Policy, life: str, link: str) -> None:
        self.sessions = Sessions(policy)
        self.document = document(life, policy.description, link)
        seen = json.dumps(self.document["components"]["schemas"]["Asked"]["properties"]["observation"])
        self.page = PAGE.format(life=html.escape(life), link=html.escape(link), observation=html.escape(seen))

    async def act(self, request: Request) -> Response:
        """Choose an action."""
        asked = await _body(request, {"observation", "reward", "terminated", "truncated", "session"})
        if "observation" not in asked:
            raise HTTPException(422, "observation: it is missing; send it as the environment shows it")
        reward = asked.get("reward", 0.0)
        if isinstance(reward, bool) or not isinstance(reward, int | float) or not abs(reward) <= LARGEST_REWARD:
            raise HTTPException(422, f"reward: expected a finite number, and it is {json.dumps(reward)[:40]}")
        flags = {name: asked.get(name, False) for name in ("terminated", "truncated")}
        for name, flag in flags.items():
            if not isinstance(flag, bool):
                raise HTTPException(422, f"{name}: expected true or false, and it is {json.dumps(flag)}")
        name = _session(asked)
        try:
            # read first, so that a wrong observation changes no body and makes none
            self.sessions.policy.codec.observation(asked["observation"])
            body = self.sessions.body(name)
            if body.steps:
                body.tell(reward, **flags)
            first = body.begins
            action = body(asked["observation"])
        except (ValueError, OverflowError) as error:
            raise HTTPException(422, str(error)) from error
        doubt = body.doubt
        return _json({"action": plain(action), "doubt": doubt if math.isfinite(doubt) else None, "first": first})

    async def reset(self, request: Request) -> Response:
        """Begin a session again."""
        name = _session(await _body(request, {"session"}))
        self.sessions.bodies.pop(name, None)
        return _json({"session": name})

    async def openapi(self, request: Request) -> Response:
        """The OpenAPI document."""
        return _json(self.document)

    async def explain(self, request: Request) -> Response:
        """A page that says how it is used."""
        return HTMLResponse(self.page)


def application(policy: Policy, life: str, token: str, link: str = f"http://{HOST}", cookie: str = "umwelt") -> Gate:
    """The policy as one ASGI application, behind its gate."""
    answers = Answers(policy, life, link)
    routes = [
        Route("/act", answers.act, methods=["POST"]),
        Route("/reset", answers.reset, methods=["POST"]),
        Route("/openapi.json", answers.openapi, methods=["GET"]),
        Route("/", answers.explain, methods=["GET"]),
    ]
    inside = Starlette(routes=routes, exception_handlers={HTTPException: _refusal})
    return Gate(inside, token, cookie, methods=("GET", "POST"))


def serve(policy: Policy, life: str, port: int, token: str, on_open: Callable[[str, str], None]) -> None:
    """Serve a policy until Ctrl-C. port: 0 for any free one. on_open: receives the address and the token."""
    import uvicorn

    token = checked_token(HOST, token)
    listener = listen(HOST, port)
    number = listener.getsockname()[1]
    link = f"http://{HOST}:{number}"
    page = application(policy, life, token, link, cookie=f"umwelt-{number}")
    config = uvicorn.Config(
        page, log_level="warning", access_log=False, server_header=False, date_header=False, lifespan="off", ws="none",
        timeout_graceful_shutdown=2,
    )  # fmt: skip
    with contextlib.suppress(ValueError):  # only the main thread may set signal handlers
        signal.signal(signal.SIGTERM, _leave)
    try:
        on_open(link, token)
        # uvicorn ends cleanly at the first signal, and then passes it on
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        listener.close()


def plain(value: Any) -> Any:
    """An action as JSON has it."""
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


async def _body(request: Request, known: set[str]) -> dict[str, Any]:
    """The JSON object of a request; what is no such object, or too large, is refused."""
    content = b""
    async for piece in request.stream():
        content += piece
        if len(content) > LARGEST:
            raise HTTPException(413, f"the request is larger than {LARGEST:,} bytes")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"the request is no JSON ({error})") from error
    if not isinstance(found, dict):
        raise HTTPException(400, 'the request is no JSON object; send one such as {"observation": ...}')
    if unknown := sorted(set(found) - known):
        raise HTTPException(422, f"{', '.join(unknown)}: not known here; known are {', '.join(sorted(known))}")
    return found


def _session(asked: dict[str, Any]) -> str:
    name = asked.get("session", "")
    if not isinstance(name, str) or len(name) > LONGEST_NAME:
        raise HTTPException(422, f"session: expected a text of at most {LONGEST_NAME} letters")
    return name


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _json({"error": error.detail}, error.status_code, dict(error.headers or {}))


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    return Response(text, status, headers, media_type="application/json")


def _leave(number: int, frame: Any) -> None:
    raise KeyboardInterrupt
