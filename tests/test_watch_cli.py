"""`umwelt watch` as a process: it prints its link, ends cleanly, and explains wrong options in one sentence."""

import importlib.util
import json
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from watched import write_life

pytest.importorskip("uvicorn", reason="the page needs the watch extra")

from umwelt.cli import watch_page as page
from umwelt.cli.main import main
from umwelt.watch.address import NAME, PageAddress, find_address, write_address
from umwelt.watch.serve import listen

WATCH = [sys.executable, "-m", "umwelt", "watch"]


def test_a_page_is_opened_by_its_link_alone_and_ends_at_a_signal(tmp_path):
    write_life(tmp_path, "first")
    with subprocess.Popen([*WATCH, str(tmp_path)], stdout=subprocess.PIPE, text=True) as server:
        link = server.stdout.readline().split(" at ")[1].strip()
        assert "Ctrl-C" in server.stdout.readline()
        assert find_address(tmp_path).link == link
        parts = urllib.parse.urlsplit(link)
        assert parts.hostname == "127.0.0.1"
        with urllib.request.urlopen(link) as answer:
            assert b"<title>" in answer.read()
            cookie = answer.headers["set-cookie"].split(";")[0]
        lives = urllib.request.Request(f"http://{parts.netloc}/data/lives", headers={"Cookie": cookie})
        with urllib.request.urlopen(lives) as answer:
            assert json.load(answer)["lives"][0]["name"] == "first"
            assert "server" not in answer.headers
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"http://{parts.netloc}/data/lives")
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=10) == 0
    assert not (tmp_path / NAME).exists()


def test_a_page_without_visitors_ends_by_itself(tmp_path):
    with subprocess.Popen([*WATCH, str(tmp_path), "--idle", "0.01", "--json"], stdout=subprocess.PIPE, text=True) as server:
        assert json.loads(server.stdout.readline())["lives"] == str(tmp_path)
        assert server.wait(timeout=20) == 0


def test_a_life_prints_the_link_and_starts_a_page_only_on_request(tmp_path, capfd):
    page.show_page(str(tmp_path), wanted=False, silent=False)
    assert capfd.readouterr().err == ""
    page.show_page(str(tmp_path), wanted=True, silent=True)
    address = find_address(tmp_path)
    process = address.process
    try:
        assert f"watch:    {address.link}\n" == capfd.readouterr().err
        page.show_page(str(tmp_path), wanted=False, silent=False)
        assert address.link in capfd.readouterr().err
        page.show_page(str(tmp_path), wanted=False, silent=True)
        assert capfd.readouterr().err == ""
        page.show_page(str(tmp_path), wanted=True, silent=False)
        assert find_address(tmp_path).process == process, "one page is enough"
    finally:
        (started,) = page._started
        assert started.pid == process
        started.terminate()
        assert started.wait(timeout=10) == 0
        page._started.clear()


def test_what_cannot_be_served_is_one_sentence(tmp_path, capsys, monkeypatch):
    (tmp_path / "file").write_text("")
    with listen("127.0.0.1", None) as taken:
        port = str(taken.getsockname()[1])
        for words, sentence in (
            ([str(tmp_path), "--port", port], f"--port {port} is in use"),
            ([str(tmp_path), "--port", "70000"], "--port must be from 0 to 65535"),
            ([str(tmp_path), "--host", "0.0.0.0"], "choose its token yourself with --token"),
            ([str(tmp_path), "--host", "0.0.0.0", "--token", "short"], "at least 16"),
            ([str(tmp_path / "file")], "is not a folder"),
        ):
            with pytest.raises(SystemExit) as ended:
                main(["watch", *words])
            assert ended.value.code == 2
            assert sentence in capsys.readouterr().err
    plain = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "starlette" else plain(name))
    with pytest.raises(SystemExit):
        main(["watch", str(tmp_path)])
    assert "needs starlette; install them with: pip install 'umwelt[watch]'" in capsys.readouterr().err
    assert not (tmp_path / NAME).exists()


def test_a_link_that_others_planted_is_not_printed(tmp_path, capfd):
    with listen("127.0.0.1", None) as answering:
        planted = PageAddress(host="127.0.0.1", port=answering.getsockname()[1], token="t" * 20, process=1)
        write_address(tmp_path, planted)
        target = tmp_path / "elsewhere.json"
        (tmp_path / NAME).rename(target)
        (tmp_path / NAME).symlink_to(target)
        page.show_page(str(tmp_path), wanted=False, silent=False)
    assert capfd.readouterr().err == ""
    assert Path(target).exists()
