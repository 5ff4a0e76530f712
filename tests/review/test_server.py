"""Who may ask the server, and for what."""

from __future__ import annotations

import http.client
import json
import threading

import pytest

from leakaudit.report_file import PastReport
from leakaudit.review.journal import Journal
from leakaudit.review.page import Page
from leakaudit.review.pairs import review_pairs
from leakaudit.review.server import Review, ReviewServer
from reports import image_report


@pytest.fixture
def server(tmp_path):
    pairs = review_pairs(PastReport("r.json", "1", ".", {}, frozenset(), image_report().findings))
    with Journal(tmp_path / "j.jsonl") as journal:
        page = Page("r.json", "leakaudit review …", can_finish=False)
        with ReviewServer(Review(pairs, journal, page, None, None)) as made:
            thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            yield made
            made.shutdown()
            thread.join()


def ask(server, path, *, method="GET", host=None, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    try:
        connection.putrequest(method, path, skip_host=True)
        for name in host if isinstance(host, list) else [host or f"127.0.0.1:{server.server_port}"]:
            connection.putheader("Host", name)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        if data:
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


def test_it_listens_on_the_loopback_interface_alone(server):
    assert server.server_address[0] == "127.0.0.1"
    assert len(server.token) >= 43


def test_the_token_is_needed(server):
    for path in ("/", "/wrong/", f"/{server.token[:-1]}/", "/progress", "//", "*"):
        assert ask(server, path)[0] == 403, path
    status, body, headers = ask(server, f"/{server.token}/")
    assert status == 200
    assert b"Is it a leak?" in body
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert not [name for name in headers if name.lower().startswith("access-control")]


def test_other_names_and_other_sites_are_turned_away(server):
    path = f"/{server.token}/progress"
    port = server.server_port
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", "127.0.0.1:1", [f"127.0.0.1:{port}", "evil"], []):
        assert ask(server, path, host=host)[0] == 403, host
    assert ask(server, path, host=f"localhost:{port}")[0] == 200
    assert ask(server, path, Origin="http://evil.example")[0] == 403
    assert ask(server, path, Origin="null")[0] == 403
    assert ask(server, path, Sec_Fetch_Site="cross-site")[0] == 403
    assert ask(server, path, Origin=f"http://127.0.0.1:{port}", Sec_Fetch_Site="same-origin")[0] == 200


def test_a_mark_comes_as_json_and_names_a_pair(server):
    path = f"/{server.token}/mark"
    good = {"at": 0, "mark": "leak"}
    assert ask(server, path, method="POST", body=good)[0] == 404
    kind = {"Content_Type": "application/json"}
    for bad in ({"at": 999, "mark": "leak"}, {"at": -1, "mark": "leak"}, {"at": 0}, {"at": 0, "mark": "x"}, [], b"{"):
        assert ask(server, path, method="POST", body=bad, **kind)[0] == 404, bad
    assert ask(server, path, method="POST", body=b"[" * 900, **kind)[0] == 404
    assert ask(server, path, method="POST", body=b"x" * 5000, **kind)[0] == 404
    assert server.review.journal.marks.of == {}
    status, body, _ = ask(server, path, method="POST", body=good, **kind)
    assert status == 200
    assert json.loads(body)["marked"] == {"leak": 1, "fine": 0, "unsure": 0}
    assert json.loads(body)["next"] == 1
    assert ask(server, path, method="POST", body={"at": 0, "mark": None}, **kind)[0] == 200
    assert server.review.journal.marks.of == {}


def test_nothing_but_pairs_of_the_report(server):
    base = f"/{server.token}"
    for path in (
        "/pair/999",
        "/pair/-1",
        "/pair/x",
        "/picture/0/a",
        "/picture/0/c",
        "/finish",
        "/x",
        "/../x",
        "",
    ):
        assert ask(server, base + path)[0] == 404, path
    assert ask(server, base + "/finish", method="POST", body={}, Content_Type="application/json")[0] == 404
    assert ask(server, base + "/", method="PUT")[0] == 501
    status, body, _ = ask(server, base + "/pair/0")
    assert status == 200
    assert "val/" in json.loads(body)["html"]


def test_hostile_names_are_escaped(server):
    drawn = [json.loads(ask(server, f"/{server.token}/pair/{at}")[1])["html"] for at in range(len(server.review.pairs))]
    page = "".join(drawn)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "\u202e" not in page
    assert "\x1b" not in page
