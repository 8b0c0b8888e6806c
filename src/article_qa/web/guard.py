"""The door of the service: what every request must pass before anything reads it."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import re
import secrets
import socket
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

import limits
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from article_qa.web.options import ServiceOptions
from article_qa.web.telemetry import Telemetry, request_id

COOKIE = "article_qa_token"
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""What a health check calls: no token, no limit."""
CLOSED = re.compile(
    r"/(?:gradio_api/)?(?:upload|proxy=|file[=/]|stream/|run-history|runs|vibe|undo-vibe|"
    r"process_recording|dev/|monitoring|deep_link|reset|custom_component)",
    re.IGNORECASE,
)
"""Gradio's endpoints that this page does not use, and strangers need not."""

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
        "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
}
"""The two 'unsafe' words are Gradio's need; nothing may come from, or go to, another host."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class _RefusedError(Exception):
    """A request that is not let in."""

    def __init__(self, status: int, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.reason, self.detail = status, reason, detail


class Guard:
    """ASGI middleware: host, origin, token, rate and size of a request; headers of the answer.

    Args:
        app: what is guarded.
        options: what is allowed.
        telemetry: is told of each refusal.
    """

    def __init__(self, app: ASGIApp, options: ServiceOptions, telemetry: Telemetry) -> None:
        self.app = app
        self.options = options
        self.telemetry = telemetry
        self.hosts = _hosts(options)
        self.token = options.token.get_secret_value() if options.token else None
        self._rate = limits.parse(options.rate) if options.rate else None
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it here."""
        if scope["type"] == "websocket":  # nothing here speaks it
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        name = headers.get("x-request-id", "")
        mark = request_id.set(name if re.fullmatch(r"[\w.-]{1,64}", name) else secrets.token_hex(8))
        answer = _Answer(send)
        try:
            self._check(scope, headers)
            if self.token and _given_token(scope) is not None:
                await _welcome(answer, self.token)
                return
            await self.app(scope, self._bounded(receive, answer), answer)
        except _RefusedError as refused:
            self.telemetry.refused(refused.reason, refused.status, _address(scope))
            await _refuse(answer, refused)
        finally:
            request_id.reset(mark)

    def _check(self, scope: Scope, headers: Headers) -> None:
        """Look at all that is known before the body.

        Raises:
            _RefusedError: the request is not let in.
        """
        path, safe = scope["path"], scope["method"] in _SAFE
        host = _host_of(headers.get("host", ""))
        if not self._known(host):
            raise _RefusedError(
                400,
                "host",
                "This is none of the service's names. Allow it with ARTICLE_QA_ALLOWED_HOSTS.",
            )
        origin = headers.get("origin")
        if origin and not safe:
            from_host = (urlsplit(origin).hostname or "") if "://" in origin else ""
            if from_host != host and from_host not in self.options.allowed_hosts:
                raise _RefusedError(403, "origin", "Requests from other sites are not answered.")
        if path in OPEN_PATHS:
            return
        if CLOSED.match(path):
            raise _RefusedError(404, "closed", "Not Found")
        if self.token and not self._admitted(scope, headers):
            raise _RefusedError(401, "token", "A bearer token is needed, and this is not it.")
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length[:20]) > self.options.max_body:
            raise self._too_large()
        if self._rate and not safe and not self._limiter.hit(self._rate, _network(_address(scope))):
            raise _RefusedError(429, "rate", f"Too many requests; up to {self._rate} are answered.")

    def _known(self, host: str) -> bool:
        if host in self.hosts or "*" in self.hosts:
            return True
        if not _wildcard(self.options.host):
            return False
        try:  # a name that resolves to us may be anybody's, an address is not
            ipaddress.ip_address(host)
        except ValueError:
            return False
        return True

    def _admitted(self, scope: Scope, headers: Headers) -> bool:
        assert self.token is not None
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _equal(bearer.strip(), self.token):
            return True
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            cookie = None
        if cookie is not None and _equal(cookie.value, _cookie_value(self.token)):
            return True
        given = _given_token(scope)
        return given is not None and _equal(given, self.token)

    def _too_large(self) -> _RefusedError:
        most = self.options.max_body
        return _RefusedError(413, "size", f"A request may have up to {most:,} bytes.")

    def _bounded(self, receive: Receive, answer: _Answer) -> Receive:
        """Count a body that comes without its length, and stop reading when it is too long."""
        seen = 0

        async def bounded() -> Message:
            nonlocal seen
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > self.options.max_body:
                    answer.instead = self._too_large()
                    raise answer.instead
            return message

        return bounded


class _Answer:
    """Sends an answer with the headers that all answers have.

    ``instead`` replaces an answer that has not begun: a framework's own for a body it could not
    read.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False
        self.instead: _RefusedError | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if self.instead is not None and not self.started:
                raise self.instead
            self.started = True
            headers = MutableHeaders(scope=message)
            for name in [n for n in headers if n.lower().startswith("access-control-")]:
                del headers[name]
            for name, value in SECURITY_HEADERS.items():
                headers[name] = value
            headers["X-Request-ID"] = request_id.get()
        await self._send(message)


async def _refuse(answer: _Answer, refused: _RefusedError) -> None:
    if answer.started:
        return
    answer.instead = None
    body = json.dumps({"detail": refused.detail}).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    if refused.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if refused.status == 429:
        headers.append((b"retry-after", b"60"))
    await answer({"type": "http.response.start", "status": refused.status, "headers": headers})
    await answer({"type": "http.response.body", "body": body})


async def _welcome(answer: _Answer, token: str) -> None:
    """Keep a browser's token in a cookie, and take it out of the address bar."""
    cookie = f"{COOKIE}={_cookie_value(token)}; HttpOnly; SameSite=Strict; Path=/"
    headers = [(b"location", b"/"), (b"set-cookie", cookie.encode("ascii"))]
    await answer({"type": "http.response.start", "status": 303, "headers": headers})
    await answer({"type": "http.response.body", "body": b""})


def _given_token(scope: Scope) -> str | None:
    """Return the token in the address of the page, ``/?token=...``."""
    if scope["path"] != "/" or scope["method"] != "GET":
        return None
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"), max_num_fields=50)
    return next(iter(query.get("token", ())), None)


def _cookie_value(token: str) -> str:
    return hashlib.sha256(b"article-qa cookie\0" + token.encode()).hexdigest()


def _equal(a: str, b: str) -> bool:
    return hmac.compare_digest(a.encode("utf-8", "surrogatepass"), b.encode("utf-8"))


def _hosts(options: ServiceOptions) -> frozenset[str]:
    names: Iterable[str] = ("localhost", "127.0.0.1", "::1", *options.allowed_hosts)
    own = socket.gethostname() if _wildcard(options.host) else options.host
    return frozenset(name.lower().strip("[]") for name in (*names, own))


def _wildcard(host: str) -> bool:
    return host in ("0.0.0.0", "::", "")


def _host_of(header: str) -> str:
    """Return the name in a Host header without its port, in lower case."""
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::\d{1,5})?", header)
    return (match.group(1) or match.group(2)).lower().rstrip(".") if match else ""


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _network(address: str) -> str:
    """Return what is limited together: an IPv4 address, or the /64 one IPv6 subscriber has."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address) and not ip.ipv4_mapped:
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return address
