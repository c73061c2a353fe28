"""Serving the page: a socket that is ours, a link with a fresh token, and a clean end."""

import contextlib
import errno
import importlib.util
import ipaddress
import os
import re
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from umwelt.watch.address import PageAddress, remove_address, write_address

PORT = 8765
"""The port where none is given, if it is free."""
SHORTEST = 16
"""The fewest letters of a token for a page that others can reach."""


class WatchError(Exception):
    """The page cannot be served with these options. The message is one sentence: which option, and what to do."""


def need_extra(verb: str = "watch") -> None:
    """Raise a WatchError where the packages of the server are missing. verb: what needs them."""
    missing = [name for name in ("starlette", "uvicorn") if importlib.util.find_spec(name) is None]
    if missing:
        raise WatchError(f"umwelt {verb} needs {' and '.join(missing)}; install them with: pip install 'umwelt[watch]'")


def serve(
    lives: Path,
    host: str = "127.0.0.1",
    port: int | None = None,
    token: str = "",
    idle: float = 0.0,
    on_open: Callable[[PageAddress], None] = lambda address: None,
) -> None:
    """Serve the page for the lives in a folder until Ctrl-C.

    idle: seconds without a visitor after which the server ends, 0 for never. on_open: receives the address with the link
    when the page can be opened.
    """
    need_extra()
    import uvicorn

    from umwelt.watch.application import application

    if lives.exists() and not lives.is_dir():
        raise WatchError(f"{lives} is not a folder; give the folder that holds the lives, such as lives/")
    token = checked_token(host, token)
    listener = listen(host, port)
    number = listener.getsockname()[1]
    address = PageAddress(host=reachable(host), port=number, token=token, process=os.getpid())
    page = Attended(application(lives, token, cookie=f"umwelt-{number}", host=host))
    config = uvicorn.Config(
        page,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    if idle:
        threading.Thread(target=_end_when_alone, args=(server, page, idle), daemon=True).start()
    # uvicorn ends cleanly at the first SIGINT or SIGTERM, and then passes it on to these
    with contextlib.suppress(ValueError):  # only the main thread may set signal handlers
        signal.signal(signal.SIGTERM, _leave)
    write_address(lives, address)
    try:
        on_open(address)
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    finally:
        remove_address(lives, address)
        listener.close()


def checked_token(host: str, token: str) -> str:
    """Check the token of the page, or draw one; where others can reach the page, a long one must be given."""
    if token and not re.fullmatch(rf"[A-Za-z0-9_-]{{{SHORTEST},}}", token):
        raise WatchError(f"--token must be at least {SHORTEST} letters, digits, '-' or '_', such as {secrets.token_urlsafe(24)}")
    if not is_loopback(host) and not token:
        raise WatchError(
            f"--host {host} lets other machines reach the page, unencrypted; choose its token yourself with --token, of at"
            f" least {SHORTEST} letters"
        )
    return token or secrets.token_urlsafe(24)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a page at `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def reachable(host: str) -> str:
    """`host` as this machine reaches it: a page on all addresses is on the loopback address too."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def listen(host: str, port: int | None) -> socket.socket:
    """Open a socket at the given port; where none is given, at the usual one, or at any that is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in [PORT, 0] if port is None else [port]:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
            listener.listen(128)
            return listener
        except (OSError, OverflowError) as error:
            listener.close()
            if port is not None or number == 0:
                raise WatchError(_refusal(host, number, error)) from error
    raise AssertionError("the loop above returns or raises")


def _refusal(host: str, port: int, error: Exception) -> str:
    code = getattr(error, "errno", None)
    if code == errno.EADDRINUSE:
        return f"--port {port} is in use by another program; choose another, or leave --port out to get one that is free"
    if code == errno.EACCES:
        return f"--port {port} needs more rights than you have; choose one above 1023, or leave --port out"
    return f"no page can be served at --host {host} --port {port} ({error}); leave both out for this machine alone"


class Attended:
    """An application that keeps the time of its last request."""

    def __init__(self, inside: Any) -> None:
        self.inside, self.asked = inside, time.monotonic()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked = time.monotonic()
        await self.inside(scope, receive, send)


def _leave(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _end_when_alone(server: Any, page: Attended, idle: float) -> None:
    while time.monotonic() - page.asked < idle:
        time.sleep(min(1.0, idle / 4))
    server.should_exit = True
