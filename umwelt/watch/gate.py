"""The gate before every route: it asks for a token, and adds headers to every answer.

A visitor shows the token once, in the link. The answer sets it as a cookie, which no script can read and no other site
can send. The page removes it from the address bar. A script may send it as `Authorization: Bearer TOKEN`.
"""

import hmac
import ipaddress
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = ("default-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "object-src 'none'")
HEADERS = {
    "Content-Security-Policy": "; ".join(POLICY),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
CLOSED = "This page opens by its link alone. Open the link that `umwelt watch` or `umwelt serve` printed.\n"


class Gate:
    """An ASGI application around another. cookie: its name. host: a name under which the page is reached, if it has one.
    methods: the requests that it lets through; a page that only reads has GET alone."""

    def __init__(
        self, inside: ASGIApp, token: str, cookie: str = "umwelt", host: str = "", methods: tuple[str, ...] = ("GET",)
    ) -> None:
        self.inside, self.token, self.cookie, self.host, self.methods = inside, token, cookie, host, methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # the page has no sockets, and nothing to start or stop
        headers = Headers(scope=scope)
        linked = self._is_token(_last(parse_qs(scope["query_string"].decode("latin-1")).get("token")))

        async def carrying(message: Message) -> None:
            if message["type"] == "http.response.start":
                carried = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    carried[name] = value
                if linked and scope["path"] == "/":
                    carried["Set-Cookie"] = f"{self.cookie}={self.token}; HttpOnly; SameSite=Strict; Path=/"
            await send(message)

        await self._answer(scope, headers, linked)(scope, receive, carrying)

    def _answer(self, scope: Scope, headers: Headers, linked: bool) -> ASGIApp:
        if not known_host(headers.get("host", ""), self.host):
            return PlainTextResponse("This page is not served under that name.\n", 421)
        if scope["method"] not in self.methods:
            words = "This page is read-only.\n" if self.methods == ("GET",) else "No request of this kind is answered.\n"
            return PlainTextResponse(words, 405, {"Allow": ", ".join(self.methods)})
        if linked and scope["path"] == "/" and scope["method"] == "GET":
            return self.inside
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        # pages on other ports of this machine count as the same site, so a cookie opens what only reads
        if (scope["method"] == "GET" and self._is_token(self._kept(headers))) or self._is_token(bearer):
            return self.inside
        return PlainTextResponse(CLOSED, 401)

    def _kept(self, headers: Headers) -> str:
        """The token in the visitor's cookie."""
        try:
            cookies: Any = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return ""
        return cookies[self.cookie].value if self.cookie in cookies else ""

    def _is_token(self, given: str) -> bool:
        """Compare in a time that reveals nothing of the token."""
        return hmac.compare_digest(given.encode(), self.token.encode())


def known_host(header: str, host: str) -> bool:
    """Whether a Host header may name this page: a number, localhost, or its own name.

    So a foreign site whose name points to this machine is refused.
    """
    name = header.rpartition(":")[0] if header.rpartition(":")[2].isdigit() else header
    name = name.strip("[]").lower()
    try:
        ipaddress.ip_address(name)
        return True
    except ValueError:
        return name == "localhost" or (bool(host) and name == host.lower())


def _last(values: list[str] | None) -> str:
    return values[-1] if values else ""
