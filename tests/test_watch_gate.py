"""The gate of the page: what a token opens, and which files no address leads to."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from watched import describe, write_life

pytest.importorskip("starlette", reason="the page needs the watch extra")
from starlette.testclient import TestClient

from umwelt.watch import address
from umwelt.watch.application import application, static_files
from umwelt.watch.gate import known_host
from umwelt.watch.serve import WatchError, checked_token, listen

TOKEN = "a-token-of-many-letters"
SECRET = "a line that must never be shown"
HEADERS = {"authorization": f"Bearer {TOKEN}"}
PATHS = ("/", "/main.js", "/vendor/uPlot.esm.js", "/data/lives", "/data/life?name=first", "/data/frame?name=first", "/nowhere")


@pytest.fixture(scope="module")
def lives(tmp_path_factory):
    """A life among files and links that the page must not show."""
    base = tmp_path_factory.mktemp("outside")
    (base / "secret.txt").write_text(SECRET)
    (base / "recipe.json").write_text(SECRET)
    write_life(base, "other")
    lives = base / "lives"
    write_life(lives, "first")
    (lives / "first" / "diary.txt").write_text(SECRET)
    (lives / "secret.txt").write_text(SECRET)
    (lives / "linked").symlink_to(base / "other", target_is_directory=True)
    (lives / "inner").symlink_to(lives / "first", target_is_directory=True)
    for name, file in (("sly", "chronicle.db"), ("slyer", "recipe.json")):
        write_life(lives, name)
        (lives / name / file).unlink()
        (lives / name / file).symlink_to(base / "other" / file)
    return lives


@pytest.fixture(scope="module")
def page(lives):
    return TestClient(application(lives, TOKEN), base_url="http://127.0.0.1:8765", follow_redirects=False)


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_shown_without_the_token_and_everything_is_guarded_by_headers(page, path):
    sep = "&" if "?" in path else "?"
    for shown, where in (
        ({}, path),
        ({"authorization": "Bearer wrong"}, path),
        ({"authorization": TOKEN[:-1]}, path),
        ({"cookie": "umwelt=wrong"}, path),
        ({"cookie": "umwelt=;;=\x01"}, path),
        ({}, f"{path}{sep}token=wrong"),
        ({}, f"{path}{sep}token="),
    ):
        answer = page.get(where, headers=shown)
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        assert len(answer.text) < 200
    for answer in (page.get(path), page.get(path, headers=HEADERS), page.post(path, headers=HEADERS)):
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


def test_the_link_gives_a_cookie_that_opens_the_rest_and_no_other_address_does(lives):
    visitor = TestClient(application(lives, TOKEN), base_url="http://127.0.0.1:8765")
    assert visitor.get(f"/data/lives?token={TOKEN}").status_code == 401
    first = visitor.get(f"/?token={TOKEN}")
    assert first.status_code == 200
    assert "HttpOnly" in first.headers["set-cookie"]
    assert "SameSite=Strict" in first.headers["set-cookie"]
    assert visitor.get("/data/lives").status_code == 200
    assert TOKEN not in first.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_the_page_is_read_only(page, method):
    answer = page.request(method, "/data/lives", headers=HEADERS)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"


def test_a_foreign_name_for_this_machine_is_refused(page):
    for host in ("evil.example", "evil.example:8765", "localhost.evil.example", "", "127.0.0.1.evil.example:80", "first"):
        assert page.get("/", headers={**HEADERS, "host": host}).status_code == 421
    for host in ("127.0.0.1", "127.0.0.1:1", "localhost:8765", "[::1]:8765", "LOCALHOST"):
        assert page.get("/", headers={**HEADERS, "host": host}).status_code == 200
    assert known_host("box.lan:9000", "box.lan")
    assert not known_host("box.lan:9000", "")


SPELLINGS = (
    "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/%2e%2e%2fsecret.txt", "/data/../../secret.txt",
    "/static/../../../pyproject.toml", "//secret.txt", "/vendor/../../application.py", "/vendor/%2e%2e/%2e%2e/gate.py",
    "/..\\secret.txt", "/lives/first/diary.txt", "/first/diary.txt", "/.watch.json", "/main.js%00.txt", "/%00", "/vendor/",
)  # fmt: skip
NAMES = (
    "..", ".", "", "/", "../other", "..%2fother", "%2e%2e/other", "first/../../other", "first/../first", "first/", "/first",
    "linked", "inner", "first\0", "first%00", "\0", "secret.txt", ".watch.json", "first/chronicle.db", "..\\other",
)  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_an_address_leads_to_a_file_that_is_not_the_pages(page, spelling):
    answer = page.get(httpx2.URL(f"http://127.0.0.1:8765{spelling}") if "\\" not in spelling else spelling, headers=HEADERS)
    assert answer.status_code == 404
    assert SECRET not in answer.text


def names_outside(lives: Path):
    return (*NAMES, str(lives / "first"), str(lives.parent / "other"), "file://" + str(lives / "first"))


@pytest.mark.parametrize("route", ["life", "series", "returns", "matrix", "events", "glimpse", "frame"])
def test_no_spelling_of_a_name_leads_to_a_life_that_is_not_in_the_folder(page, lives, route):
    for name in names_outside(lives):
        given = page.get(f"/data/{route}", params={"name": name}, headers=HEADERS)
        assert given.status_code == 404, name
        assert SECRET not in given.text
        assert str(lives) not in given.text


@settings(max_examples=50)
@given(st.text(min_size=1, max_size=30))
def test_any_other_name_is_unknown(page, name):
    answer = page.get("/data/life", params={"name": name}, headers=HEADERS)
    assert answer.status_code == (200 if name in ("first", "sly", "slyer") else 404)


def test_links_inside_a_life_are_not_followed(page):
    listed = {life["name"]: life for life in page.get("/data/lives", headers=HEADERS).json()["lives"]}
    assert sorted(listed) == ["first", "sly", "slyer"]
    assert listed["first"]["state"] == "finished"
    for name in ("sly", "slyer"):
        assert listed[name]["state"] == "damaged"
        assert "not a plain file" in listed[name]["trouble"]
        for route in ("series", "events", "matrix", "glimpse"):
            assert page.get(f"/data/{route}?name={name}&metric=reward", headers=HEADERS).status_code == 409


def test_numbers_are_checked(page):
    for words in (
        "begin=-1",
        "end=x",
        "seed=1e9",
        "points=²",
        "begin=9&end=3",
        "begin=" + "9" * 40,
        "end=\N{FULLWIDTH DIGIT NINE}",
    ):
        answer = page.get(f"/data/series?name=first&metric=reward&{words}", headers=HEADERS)
        assert answer.status_code == 400, words
    assert page.get("/data/series?name=first&metric=nothing", headers=HEADERS).status_code == 404
    assert page.get("/data/series?name=first&metric=" + "'%20OR%201=1--", headers=HEADERS).status_code == 404


def test_the_page_needs_no_other_machine_and_its_vendored_part_has_its_licence():
    found = {path: data.decode() for path, data, _ in static_files()}
    own = {path: text for path, text in found.items() if not path.startswith("/vendor/")}
    assert {"/", "/main.js", "/page.css"} <= set(own)
    for path, text in own.items():
        assert "http://" not in text.replace("http://www.w3.org/", ""), path
        assert "https://" not in text, path
        assert "innerHTML" not in text, path
    for name in ("LICENSE", "README.md", "uPlot.esm.js"):
        assert (Path(sys.modules["umwelt.watch"].__file__).parent / "static" / "vendor" / name).exists()
    assert "fetch(" not in found["/vendor/uPlot.esm.js"]


def test_a_page_for_others_needs_a_token_of_ones_own():
    assert len(checked_token("127.0.0.1", "")) >= 32
    assert checked_token("127.0.0.1", "") != checked_token("localhost", "")
    assert checked_token("0.0.0.0", "a" * 16) == "a" * 16
    for host, token in (("0.0.0.0", ""), ("192.0.2.7", ""), ("::", ""), ("box.lan", "")):
        with pytest.raises(WatchError, match="--token"):
            checked_token(host, token)
    for token in ("short", "a" * 15, "a" * 20 + ";", "a" * 20 + "\n", "ä" * 20):
        with pytest.raises(WatchError, match="at least 16"):
            checked_token("127.0.0.1", token)


def test_a_port_in_use_is_an_error_unless_it_is_the_usual_one(monkeypatch):
    with listen("127.0.0.1", None) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(WatchError, match=f"--port {port} is in use"):
            listen("127.0.0.1", port)
        monkeypatch.setattr("umwelt.watch.serve.PORT", port)
        with listen("127.0.0.1", None) as other:
            assert other.getsockname()[1] not in (port, 0)
    with pytest.raises(WatchError, match="no page can be served at --host"):
        listen("192.0.2.1", 80)


def test_an_address_is_for_its_owner_and_counts_only_while_a_server_answers(tmp_path):
    with listen("127.0.0.1", None) as answering:
        mine = address.PageAddress(host="127.0.0.1", port=answering.getsockname()[1], token=TOKEN, process=os.getpid())
        address.write_address(tmp_path, mine)
        path = tmp_path / address.NAME
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert address.find_address(tmp_path) == mine
        assert mine.link.endswith(f"/?token={TOKEN}")
        path.chmod(0o644)
        assert address.find_address(tmp_path) is None
        path.chmod(0o600)
    assert address.find_address(tmp_path) is None, "no server answers there"
    with listen("127.0.0.1", None) as answering:
        child = subprocess.Popen([sys.executable, "-c", ""])
        child.wait()
        gone = address.PageAddress(host="127.0.0.1", port=answering.getsockname()[1], token=TOKEN, process=child.pid)
        address.write_address(tmp_path, gone)
        assert address.find_address(tmp_path) is None, "the process is gone"
        address.remove_address(tmp_path, mine)
        assert path.exists(), "it is another page's"
        address.remove_address(tmp_path, gone)
    assert not path.exists()
    path.write_text("{half")
    path.chmod(0o600)
    assert address.find_address(tmp_path) is None


def test_a_folder_without_lives_is_an_empty_list(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        page = TestClient(application(folder, TOKEN), base_url="http://localhost")
        assert page.get("/data/lives", headers=HEADERS).json()["lives"] == []
    describe(tmp_path / ".draft")
    assert page.get("/data/lives", headers=HEADERS).json()["lives"] == []
