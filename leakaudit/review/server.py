"""The page of a review, on this machine alone.

The server listens on the loopback interface, on a port that the system picks. Every address begins with a token of 256
random bits, compared in constant time; a request whose ``Host`` is not this server's own (another name that points
here, DNS rebinding), or that another site's page sent (``Origin``, ``Sec-Fetch-Site``), is turned away before anything
is looked up. Nothing is answered but the page, pairs of the report, and previews of the pictures that it names.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

from leakaudit.errors import LeakauditError
from leakaudit.review.journal import MARKS, Journal
from leakaudit.review.page import Page, pair_json, progress_json
from leakaudit.review.pairs import ReviewPair
from leakaudit.review.pictures import Hidden, PictureFolder

LONGEST_BODY = 1_000
PATIENCE = 30.0
"""Seconds a connection may be silent."""

Answer: TypeAlias = tuple[HTTPStatus, str, bytes]


@dataclass(frozen=True)
class Review:
    """What the server shows and keeps.

    Parameters
    ----------
    pairs : tuple of ReviewPair
    journal : Journal
    page : Page
    pictures : PictureFolder or None
        None where the report has no pictures.
    finish : callable or None
        Writes what comes of the marks, and says what it wrote.
    """

    pairs: tuple[ReviewPair, ...]
    journal: Journal
    page: Page
    pictures: PictureFolder | None
    finish: Callable[[], list[str]] | None


class ReviewServer(ThreadingHTTPServer):
    """Serves one review on 127.0.0.1; `address` is what to open."""

    daemon_threads = True
    allow_reuse_address = False

    def __init__(self, review: Review, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.review = review
        self.token = secrets.token_urlsafe(32)

    @cached_property
    def hosts(self) -> tuple[str, str]:
        """What a request may name as its host."""
        return f"127.0.0.1:{self.server_port}", f"localhost:{self.server_port}"

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{self.hosts[0]}/{self.token}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that goes away in the middle of an answer is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "leakaudit", ""
    timeout = PATIENCE

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: addresses hold the token."""

    # --- who may ask ------------------------------------------------------------------------------------------

    def _answer(self, ask: Callable[[list[str]], Answer]) -> None:
        try:
            status, kind, body = self._refused() or ask(self._parts()[1:])
        except (Hidden, LookupError, ValueError, RecursionError) as error:
            status, kind, body = _text(HTTPStatus.NOT_FOUND, str(error) if isinstance(error, Hidden) else "not found")
        except (OSError, LeakauditError) as error:
            status, kind, body = _text(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Content-Security-Policy", self.server.review.page.policy),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
        ):
            self.send_header(name, value)
        if status != HTTPStatus.OK:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def _refused(self) -> Answer | None:
        headers, server = self.headers, self.server
        origin = headers.get("Origin")
        ours = (
            headers.get_all("Host", []) in [[host] for host in server.hosts]
            and (origin is None or origin.removeprefix("http://") in server.hosts)
            and headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")
        )
        token = (self._parts() or [""])[0]
        if ours and secrets.compare_digest(token.encode("utf-8", "replace"), server.token.encode()):
            return None
        return _text(HTTPStatus.FORBIDDEN, "use the address that leakaudit printed")

    def _parts(self) -> list[str]:
        """The path without its query, split: the token first."""
        return self.path.partition("?")[0].removeprefix("/").split("/")

    # --- what may be asked ------------------------------------------------------------------------------------

    def _get(self, parts: list[str]) -> Answer:
        review = self.server.review
        match parts:
            case [""]:
                return HTTPStatus.OK, "text/html; charset=utf-8", review.page.html().encode()
            case ["progress"]:
                return _json(progress_json(review.pairs, review.journal.marks))
            case ["pair", at]:
                return _json(pair_json(review.pairs, self._at(at), review.journal.marks))
            case ["picture", at, ("a" | "b") as side] if review.pictures is not None:
                pair = review.pairs[self._at(at)].pair
                made = review.pictures.picture((pair.a if side == "a" else pair.b).uri)
                return HTTPStatus.OK, "image/png" if made.startswith(b"\x89PNG") else "image/jpeg", made
        raise LookupError

    def _post(self, parts: list[str]) -> Answer:
        review = self.server.review
        body = self._body()
        match parts:
            case ["mark"]:
                mark = body.get("mark", "missing")
                if mark is not None and mark not in MARKS:
                    raise ValueError
                review.journal.add(review.pairs[self._at(str(body.get("at")))].key, mark)
                return _json(progress_json(review.pairs, review.journal.marks))
            case ["finish"] if review.finish is not None:
                return _json({"said": review.finish()})
        raise LookupError

    def _at(self, text: str) -> int:
        """The number of a pair, which there is."""
        if not text.isascii() or not text.isdigit() or int(text) >= len(self.server.review.pairs):
            raise LookupError
        return int(text)

    def _body(self) -> dict[str, Any]:
        if self.headers.get("Content-Type") != "application/json":
            raise ValueError
        length = int(self.headers.get("Content-Length", ""))
        if not 0 <= length <= LONGEST_BODY:
            raise ValueError
        found = json.loads(self.rfile.read(length))
        if not isinstance(found, dict):
            raise ValueError  # noqa: TRY004  a bad request, whatever is wrong with it
        return found


def _json(value: object) -> Answer:
    return HTTPStatus.OK, "application/json", json.dumps(value).encode()


def _text(status: HTTPStatus, said: str) -> Answer:
    return status, "text/plain; charset=utf-8", f"{said}\n".encode()
