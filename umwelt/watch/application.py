"""The page and its data as one ASGI application. Routes only read, and each opens its chronicle for a moment."""

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from umwelt.life.chronicle import reader
from umwelt.life.chronicle.chronicle import Chronicle, ChronicleError
from umwelt.watch import answers
from umwelt.watch.gate import Gate
from umwelt.watch.lives import LivesFolder, NoSuchLife, Unreadable

STATIC = Path(__file__).parent / "static"
KINDS = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".svg": "image/svg+xml"}  # fmt: skip
MOST_POINTS = 2000
FARTHEST = 2**53
"""No clock of a life is beyond it, and JavaScript counts no further."""


def application(lives: Path | str, token: str, cookie: str = "umwelt", host: str = "") -> Gate:
    """The page for the lives in one folder, behind its gate."""
    data = DataRoutes(LivesFolder(lives))
    routes = [Route(f"/data/{name}", answer, methods=["GET"]) for name, answer in data.routes().items()]
    routes += [Route(path, _file(content, kind), methods=["GET"]) for path, content, kind in static_files()]
    return Gate(Starlette(routes=routes, exception_handlers=dict(ERRORS)), token, cookie, host)


def static_files() -> list[tuple[str, bytes, str]]:
    """Read (path in the address, content, kind) of all files of the page, once: no address ever becomes a path."""
    files = [path for path in sorted(STATIC.rglob("*")) if path.suffix in KINDS]
    found = [(f"/{path.relative_to(STATIC).as_posix()}", path.read_bytes(), KINDS[path.suffix]) for path in files]
    return [("/", data, kind) if path == "/index.html" else (path, data, kind) for path, data, kind in found]


class DataRoutes:
    """Answers questions about the lives of one folder."""

    def __init__(self, folder: LivesFolder) -> None:
        self.folder = folder
        self._matrices: dict[str, tuple[Any, Any]] = {}

    def routes(self) -> dict[str, Callable[[Request], Response]]:
        """name -> the method that answers."""
        return {
            "lives": self.lives,
            "life": self.life,
            "series": self.series,
            "returns": self.returns,
            "matrix": self.matrix,
            "events": self.events,
            "glimpse": self.glimpse,
            "frame": self.frame,
        }

    def lives(self, request: Request) -> Response:
        """All lives with their states."""
        return _json({"folder": str(self.folder.root), "lives": [vars(card) for card in self.folder.cards()]})

    def life(self, request: Request) -> Response:
        """One life: its card, what made it, and what there is to see."""
        name = _name(request)
        card = self.folder.card(name)
        found: dict[str, Any] = {**vars(card), "resume": self.folder.resume_command(name, card)}
        # of a damaged life the page shows what can be read
        may_fail = contextlib.suppress(Unreadable, ChronicleError) if card.state == "damaged" else contextlib.nullcontext()
        with may_fail:
            description = self.folder.description(name)
            found |= {key: description.get(key) for key in ("command", "versions", "rows", "observation_names")}
        with may_fail:
            found |= self._asked(name, answers.overview)
        return _json(found)

    def series(self, request: Request) -> Response:
        """One metric of one seed in a window."""
        metric, window = request.query_params.get("metric", ""), _window(request)

        def made(chronicle: Chronicle) -> Any:
            if metric not in [each.name for each in chronicle.metrics()]:
                raise HTTPException(404, "this life has no such metric")
            return answers.series(chronicle, metric, *window)

        return _json(self._asked(_name(request), made))

    def returns(self, request: Request) -> Response:
        """Episodes in a window, and all probes."""
        return _json(self._asked(_name(request), lambda it: answers.returns(it, *_window(request))))

    def matrix(self, request: Request) -> Response:
        """Every task after every lesson, computed again only when there are new probes."""
        name = _name(request)

        def made(chronicle: Chronicle) -> Any:
            stamp = reader.count_probes(chronicle)
            if self._matrices.get(name, (None,))[0] != stamp:
                self._matrices = {name: (stamp, answers.matrix(chronicle))}
            return self._matrices[name][1]

        return _json(self._asked(name, made))

    def events(self, request: Request) -> Response:
        """The newest events."""
        return _json(self._asked(_name(request), answers.events))

    def glimpse(self, request: Request) -> Response:
        """The present episode."""
        return _json(self._asked(_name(request), answers.glimpse))

    def frame(self, request: Request) -> Response:
        """The world as PNG."""
        pixels = self._asked(_name(request), answers.frame)
        if pixels is None:
            raise HTTPException(404, "this life has no picture of its world yet")
        from PIL import Image

        data = io.BytesIO()
        Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(data, "PNG")
        return Response(data.getvalue(), media_type="image/png")

    def _asked(self, name: str, question: Callable[[Chronicle], Any]) -> Any:
        """Answer a question about one state of a chronicle, which is open only meanwhile."""
        with self.folder.chronicle(name) as chronicle, chronicle.snapshot():
            try:
                with np.errstate(all="ignore"):  # sums overflow where a damaged page holds huge numbers
                    return question(chronicle)
            except answers.DAMAGE as error:
                raise Unreadable(
                    f"the chronicle of this life holds what no life writes ({error}); put back a copy of it"
                ) from error


def _window(request: Request) -> tuple[int, int, int, int]:
    """(seed, begin, end, points) of an address."""
    begin, end = _number(request, "begin", 0), _number(request, "end", FARTHEST)
    if end < begin:
        raise HTTPException(400, f"end: {end} is before begin, {begin}")
    return _number(request, "seed", 0), begin, end, max(2, min(_number(request, "points", 600), MOST_POINTS))


def _number(request: Request, name: str, usual: int) -> int:
    given = request.query_params.get(name, str(usual))
    if not (given.isascii() and given.isdigit() and int(given[:17]) <= FARTHEST and len(given) < 17):
        raise HTTPException(400, f"{name}: give a whole number from 0 to 2^53")
    return int(given)


def _name(request: Request) -> str:
    return request.query_params.get("name", "")


def _json(value: Any) -> Response:
    return Response(answers.as_json(value), media_type="application/json")


def _file(data: bytes, kind: str) -> Callable[[Request], Any]:
    async def give(request: Request) -> Response:
        return Response(data, media_type=kind)

    return give


def _sentence(status: int) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, error: Exception) -> Response:
        detail = error.detail if isinstance(error, HTTPException) else str(error)
        return Response(
            answers.as_json({"error": detail}),
            error.status_code if isinstance(error, HTTPException) else status,
            media_type="application/json",
        )

    return answer


ERRORS: dict[Any, Any] = {
    HTTPException: _sentence(404),
    NoSuchLife: _sentence(404),
    Unreadable: _sentence(409),
    ChronicleError: _sentence(409),
}
