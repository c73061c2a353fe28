"""The answers to the page: the chronicle's own numbers, few of them, and a sentence where there are none."""

import contextlib
import fcntl
import io
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from watched import NAMES, describe, episode, live_on, probe, write_life

pytest.importorskip("starlette", reason="the page needs the watch extra")
from PIL import Image
from starlette.testclient import TestClient

import umwelt.watch
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.folder import lock as holder
from umwelt.report.picture import COLOURS
from umwelt.watch import answers
from umwelt.watch.application import application

TOKEN = "a-token-of-many-letters"


def visitor(lives):
    page = TestClient(application(lives, TOKEN), base_url="http://localhost")
    page.headers["authorization"] = f"Bearer {TOKEN}"
    return page


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    lives = tmp_path_factory.mktemp("lives")
    write_life(lives, "first")
    write_life(lives, "half").joinpath("recipe.json").write_text(
        (lives / "first" / "recipe.json").read_text().replace('"end": 100', '"end": 400')
    )
    return visitor(lives)


def asked(page, what, **parameters):
    answer = page.get(f"/data/{what}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_life_has_a_state_and_a_command_to_resume_it(page):
    cards = {card["name"]: card for card in asked(page, "lives")["lives"]}
    assert (cards["first"]["state"], cards["first"]["clock"], cards["first"]["end"]) == ("finished", 100, 100)
    assert (cards["half"]["state"], cards["half"]["clock"], cards["half"]["end"]) == ("stopped", 100, 400)
    found = asked(page, "life", name="half")
    assert found["resume"].startswith("umwelt resume /")
    assert found["resume"].endswith("/half")
    assert asked(page, "life", name="first")["resume"].endswith("/first --steps 200")
    assert [metric["name"] for metric in found["metrics"]] == ["reward", "surprise"]
    assert (found["tasks"], found["seeds"], found["probes"]) == (["earth", "moon"], [0], [6, 100])
    assert found["observation_names"] == NAMES


def test_a_curve_has_no_more_points_than_asked_for_and_they_are_the_lifes_own(page):
    whole = asked(page, "series", name="first", metric="reward", end=100, points=1000)
    assert whole["clock"] == list(range(1, 101))
    assert whole["mean"] == [clock / 2 for clock in range(1, 101)]
    few = asked(page, "series", name="first", metric="surprise", begin=21, end=60, points=5)
    assert 3 <= len(few["clock"]) <= 5
    assert few["clock"][-1] == 60
    assert min(few["low"]) == -30
    assert max(few["high"]) == -10.5


def test_a_window_of_too_many_rows_is_read_from_its_blocks(tmp_path, monkeypatch):
    with Chronicle(describe(tmp_path / "long") / "chronicle.db") as chronicle:
        live_on(chronicle, 0, 5000)
        fine = answers.series(chronicle, "reward", 0, 1000, 4999, 100)
        monkeypatch.setattr(answers, "POINTS", 3999)
        coarse = answers.series(chronicle, "reward", 0, 1000, 4999, 100)
    assert 95 <= len(fine["clock"]) <= 100
    assert coarse["clock"].tolist() == [1499 + 500 * stretch for stretch in range(8)]
    assert coarse["low"].tolist() == [500 + 250 * stretch for stretch in range(8)]
    assert coarse["high"].tolist() == [749.5 + 250 * stretch for stretch in range(8)]


def test_returns_are_of_episodes_in_the_window_and_of_all_probes(page):
    found = asked(page, "returns", name="first", begin=0, end=60)
    assert found["episodes"] == {"earth": {"clock": [50], "low": [4.0], "mean": [4.0], "high": [4.0]}}
    assert found["probes"]["earth"]["mean"] == [0, 8, 4]
    assert found["probes"]["earth"]["low"] == [-1, 7, 3]
    assert found["probes"]["earth"]["high"] == [1, 9, 5]
    assert found["probes"]["moon"]["model_error"] == [None] * 3


def test_the_matrix_fills_as_lessons_end(page, tmp_path):
    found = asked(page, "matrix", name="first")
    assert found["tasks"] == ["earth", "moon"]
    assert [lesson["task"] for lesson in found["lessons"]] == ["earth", "moon"]
    assert found["returns"] == [[8, 1], [4, 9]]
    assert found["errors"] == [[0.5, None], [0.5, None]]
    assert found["retention"] == {"earth": 0.5, "moon": 1.0}
    growing = visitor(tmp_path)
    with Chronicle(describe(tmp_path / "young") / "chronicle.db") as chronicle:
        assert asked(growing, "matrix", name="young")["lessons"] == []
        live_on(chronicle, 0, 20)
        probe(chronicle, 0, "earth", 1.0)
        for end in (10, 20):
            episode(chronicle, "earth", end, 2.0)
        assert asked(growing, "matrix", name="young")["returns"] == [[None]], (
            "the probe before the first decision belongs to no lesson"
        )
        probe(chronicle, 20, "earth", 3.0)
        assert asked(growing, "matrix", name="young")["returns"] == [[3.0]]
        live_on(chronicle, 20, 30)
        episode(chronicle, "moon", 30, 2.0)
        probe(chronicle, 30, "earth", 2.5)
        probe(chronicle, 30, "moon", 4.0)
        found = asked(growing, "matrix", name="young")
        assert found["returns"] == [[3.0, None], [2.5, 4.0]]


def test_seeds_are_averaged_and_seeds_with_different_lessons_are_not(tmp_path):
    with Chronicle(describe(tmp_path / "two") / "chronicle.db") as chronicle:
        for seed, worth in ((0, 2.0), (1, 6.0)):
            live_on(chronicle, 0, 10, seed)
            episode(chronicle, "earth", 10, worth, seed)
            probe(chronicle, 10, "earth", worth, seed=seed)
        page = visitor(tmp_path)
        assert asked(page, "matrix", name="two")["returns"] == [[4.0]]
        assert asked(page, "returns", name="two", seed=1)["probes"]["earth"]["mean"] == [4.0]
        assert asked(page, "returns", name="two", seed=1)["episodes"]["earth"]["mean"] == [6.0]
        probe(chronicle, 10, "moon", 1.0, seed=1)
        episode(chronicle, "moon", 20, 1.0, 1)
        assert asked(page, "matrix", name="two") | {"lessons": [], "mixed": True} == asked(page, "matrix", name="two")


def test_of_very_many_episodes_each_stretch_is_still_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(answers, "WHOLE", 100)
    with Chronicle(describe(tmp_path / "long") / "chronicle.db") as chronicle:
        ends = np.arange(10, 10_001, 10)
        chronicle.write_episodes(
            {"seed": 0, "row": 0, "begin": ends - 10, "end": ends, "task": "earth", "return": ends / 10, "length": 10,
             "end_kind": "truncated", "surprise": np.nan, "doubt": np.nan}
        )  # fmt: skip
        found = asked(visitor(tmp_path), "returns", name="long", begin=0, end=10_000, points=11)["episodes"]["earth"]
    assert len(found["clock"]) == 10
    for stretch, (low, mean, high) in enumerate(zip(found["low"], found["mean"], found["high"], strict=True)):
        assert stretch * 100 <= low <= mean <= high <= (stretch + 1) * 100


def test_the_present_episode_comes_with_its_plan_and_its_picture(page):
    found = asked(page, "glimpse", name="first")
    now, plan = found["glimpses"]["now"], found["glimpses"]["plan"]
    assert (now["clock"], now["begin"], now["task"], now["frame"]) == (100, 41, "moon", True)
    assert now["seen"][9] == pytest.approx([np.sin(1), np.cos(1)], abs=1e-4)
    assert len(plan["plan"]) == 15
    assert plan["plan"][-1][0] == pytest.approx(plan["seen"][59][0] + 0.3, abs=1e-4)
    assert found["trail"]["clock"] == list(range(10, 101, 10))
    assert found["trail"]["z"] == [None] * 10
    picture = page.get("/data/frame?name=first")
    assert picture.headers["content-type"] == "image/png"
    pixels = np.asarray(Image.open(io.BytesIO(picture.content)))
    assert pixels.shape == (64, 64)
    assert (pixels[30, 30], pixels[0, 0]) == (220, 0)


def test_a_long_trail_is_spread_evenly(tmp_path, monkeypatch):
    monkeypatch.setattr(answers, "POSITIONS", 20)
    with Chronicle(describe(tmp_path / "long") / "chronicle.db") as chronicle:
        clocks = np.arange(10, 5001, 10)
        chronicle.write_trail({"seed": 0, "clock": clocks, "task": "t", "x": clocks * 2.0, "y": 0.0, "z": 0.0, "doubt": 0.0})
        found = answers.glimpse(chronicle)["trail"]
    assert len(found["clock"]) == 20
    assert np.ptp(np.diff(found["clock"])) == 0
    assert found["x"] == [2 * clock for clock in found["clock"]]
    assert found["clock"][-1] > 4500


def test_a_life_is_running_while_a_process_holds_it_and_looking_never_takes_its_lock(tmp_path, monkeypatch):
    write_life(tmp_path, "first")
    page, lock = visitor(tmp_path), tmp_path / "first" / "lock"
    lock.touch()
    code = (
        f"import fcntl, os; lock = os.open({str(lock)!r}, os.O_RDWR); fcntl.flock(lock, fcntl.LOCK_EX);"
        " print(1, flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        writer.stdout.readline()
        for table in (holder.TABLE, Path("nowhere")):
            monkeypatch.setattr(holder, "TABLE", table)
            assert asked(page, "lives")["lives"][0]["state"] == "running"
        writer.communicate(b"\n")
    assert asked(page, "lives")["lives"][0]["state"] == "finished"
    monkeypatch.undo()
    with lock.open() as mine:
        fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        monkeypatch.setattr(
            fcntl, "flock", lambda *given: pytest.fail("a trial lock could refuse a process that resumes the life")
        )
        assert holder.is_held(tmp_path / "first")


DAMAGES = {
    "no chronicle yet": lambda life: (life / "chronicle.db").unlink(),
    "an empty chronicle": lambda life: os.truncate(life / "chronicle.db", 0),
    "half a chronicle": lambda life: os.truncate(life / "chronicle.db", 30_000),
    "a chronicle that is no database": lambda life: (life / "chronicle.db").write_bytes(b"text that is long enough " * 400),
    "a broken recipe": lambda life: (life / "recipe.json").write_text('{"umwelt": "life", "form'),
    "a recipe of another program": lambda life: (life / "recipe.json").write_text("{}"),
    "a recipe without its parts": lambda life: (life / "recipe.json").write_text(
        '{"umwelt": "life", "format": 1, "description": {"end": "soon", "life": []}}'
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_life_has_a_sentence_and_the_others_go_on(tmp_path, damage):
    write_life(tmp_path, "first")
    write_life(tmp_path, "torn")
    DAMAGES[damage](tmp_path / "torn")
    for log in (tmp_path / "torn").glob("chronicle.db-*"):
        log.unlink()
    page = visitor(tmp_path)
    cards = {card["name"]: card for card in asked(page, "lives")["lives"]}
    assert cards["first"]["state"] == "finished"
    assert asked(page, "series", name="first", metric="reward", end=100, points=10)["clock"]
    found = asked(page, "life", name="torn")
    assert found["state"] == "damaged"
    assert re.search(r"(put back a copy|try again|begun|give the name)", found["trouble"]), found["trouble"]
    assert str(tmp_path) not in found["trouble"] or "is not a life" in found["trouble"], "there is little room in a list"
    for route in ("series", "returns", "matrix", "events", "glimpse"):
        answer = page.get(f"/data/{route}?name=torn&metric=reward")
        assert answer.status_code in (200, 409)
        assert answer.status_code == 200 or answer.json()["error"]


def test_what_can_be_read_of_a_damaged_life_is_shown(tmp_path):
    life = write_life(tmp_path, "torn")
    (life / "recipe.json").write_text("{")
    with contextlib.closing(sqlite3.connect(life / "chronicle.db")) as database:
        database.execute("DROP TABLE events")
    page = visitor(tmp_path)
    found = asked(page, "life", name="torn")
    assert (found["state"], found["clock"], found["probes"]) == ("damaged", 100, [6, 100])
    assert [metric["name"] for metric in found["metrics"]] == ["reward", "surprise"]
    assert [fault.partition(":")[0] for fault in found["faults"]] == ["events"]
    assert asked(page, "series", name="torn", metric="reward", end=100, points=10)["clock"]
    assert asked(page, "matrix", name="torn")["tasks"] == ["earth", "moon"]
    assert "events" in page.get("/data/events?name=torn").json()["error"]
    (life / "recipe.json").write_text((write_life(tmp_path, "whole") / "recipe.json").read_text())
    os.truncate(life / "chronicle.db", 4096)
    card = next(card for card in asked(page, "lives")["lives"] if card["name"] == "torn")
    assert (card["state"], card["world"], card["agent"], card["end"]) == ("damaged", "Pendulum", "RandomAgent", 100)


def test_every_route_answers_where_a_page_is_torn_out_of_the_middle(tmp_path):
    life = write_life(tmp_path, "torn", end=4000)
    whole = (life / "chronicle.db").read_bytes()
    random = np.random.default_rng(0)
    page = visitor(tmp_path)
    statuses = set()
    for start in random.integers(4096, len(whole) - 8192, 20):
        (life / "chronicle.db").write_bytes(
            whole[:start] + bytes(random.integers(0, 256, 4096, np.uint8)) + whole[start + 4096 :]
        )
        statuses.add(page.get("/data/lives").status_code)
        assert page.get("/data/lives").json()["lives"][0]["name"] == "torn"
        for route in ("life", "series", "returns", "matrix", "events", "glimpse"):
            answer = page.get(f"/data/{route}?name=torn&metric=reward&end=4000")
            assert answer.status_code in (200, 409), (route, answer.text)
            statuses.add(answer.status_code)
    assert statuses == {200, 409}


def test_a_life_that_vanishes_is_gone_from_the_list(tmp_path):
    write_life(tmp_path, "first")
    page = visitor(tmp_path)
    assert len(asked(page, "lives")["lives"]) == 1
    shutil.rmtree(tmp_path / "first")
    assert asked(page, "lives")["lives"] == []
    assert page.get("/data/life?name=first").status_code == 404


def test_no_reader_stays_in_the_chronicle_so_that_its_log_can_be_folded_away(tmp_path):
    write_life(tmp_path, "first")
    page = visitor(tmp_path)
    with Chronicle(tmp_path / "first" / "chronicle.db") as chronicle:
        for route in ("life", "series", "returns", "matrix", "events", "glimpse", "frame"):
            assert page.get(f"/data/{route}?name=first&metric=reward").status_code == 200
        live_on(chronicle, 100, 2000)
        busy, log, folded = chronicle.database.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0]
        assert (busy, log, folded) == (0, 0, 0)


def test_the_page_draws_in_the_palette_of_the_reports():
    style = (Path(umwelt.watch.__file__).parent / "static" / "page.css").read_text()
    light = style.split("@media")[0]
    assert tuple(re.findall(r"--c\d: (#\w+);", light)) == COLOURS
