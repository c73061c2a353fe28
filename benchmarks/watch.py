"""The page to watch lives: how soon it shows a long life, how soon it answers a key, and what it costs a life.

python -m benchmarks.watch                  all of it, about ten minutes;
python -m benchmarks.watch page             a chronicle of ten million rows;
python -m benchmarks.watch life             one life, with and without its chronicle, and with five open pages.
"""

import json
import math
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

from umwelt.behaviours import RandomAgent
from umwelt.core import Metric
from umwelt.life.chronicle import writer
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.composition import Life
from umwelt.life.folder import expression
from umwelt.life.folder.folder import Folder
from umwelt.life.rhythm import Rhythm
from umwelt.life.session import Living
from umwelt.teachers import Blocks
from umwelt.worlds import PointMaze
from umwelt.worlds.adapters import gymnasium

ROWS, METRICS = 10_000_000, 5
PAGES = 5
CHUNK, STRETCH = 50, 20
"""Decisions of a chunk, and chunks of a stretch that is measured."""
RATE = 2_000
"""Decisions a second of the life whose loss is reported."""


class Page:
    """A served page, asked over its socket as a browser does."""

    def __init__(self, lives: Path) -> None:
        words = [sys.executable, "-m", "umwelt", "watch", str(lives), "--json"]
        self.server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self.server.stdout
        link = urllib.parse.urlsplit(json.loads(self.server.stdout.readline())["link"])
        self.base = f"http://{link.netloc}"
        self.token = urllib.parse.parse_qs(link.query)["token"][0]

    def ask(self, path: str, **parameters: Any) -> bytes:
        """One answer."""
        address = f"{self.base}{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(urllib.request.Request(address, headers={"Authorization": f"Bearer {self.token}"})) as answer:
            return answer.read()

    def end(self) -> None:
        """As Ctrl-C does."""
        self.server.terminate()
        self.server.wait()


def write_long_life(lives: Path) -> int:
    """A life of ROWS metric rows and an episode for each 200 decisions; returns its last clock."""
    life = Life(world=PointMaze(), agent=RandomAgent(), teacher=Blocks())
    clocks = ROWS // METRICS
    with Folder.create("long", {"life": expression.write(life), "end": clocks, "rows": 1}, lives=lives) as folder:
        random = np.random.default_rng(0)
        metrics = [Metric(name=f"metric{index}", unit="", meaning="a walk") for index in range(METRICS)]
        with Chronicle(folder.chronicle) as chronicle:
            chronicle.declare(metrics)
            for begin in range(0, clocks, 100_000):
                now = begin + 1 + np.arange(100_000)
                with chronicle.transaction():
                    for metric in metrics:
                        chronicle.write(0, now, {metric.name: np.cumsum(random.normal(size=len(now)))})
                    ends = now[199::200]
                    lived = {"seed": 0, "row": 0, "begin": ends - 200, "end": ends, "task": "far", "length": 200}
                    worth = {"return": random.normal(size=len(ends)), "surprise": np.nan, "doubt": np.nan}
                    chronicle.write_episodes({**lived, **worth, "end_kind": "truncated"})
            for clock in range(0, clocks + 1, clocks // 50):
                chronicle.write_probe(0, clock, "far", "probe", [0.0, 1.0], mean=0.5, low=0, high=1, model_error=0.1, length=9)
    return clocks


def page_times(lives: Path) -> dict[str, Any]:
    """Seconds until the first paint in a browser, and milliseconds of a pan or zoom, asked for over HTTP and drawn."""
    clocks = write_long_life(lives)
    page, found = Page(lives), {}
    random = np.random.default_rng(1)
    try:
        found["first answers"] = _figure(_first_answers(page, clocks), "seconds", "all that a first paint asks for, cold")
        times = []
        for _ in range(60):
            wide = int(clocks * 10.0 ** random.uniform(-4, 0))
            begin = int(random.integers(0, max(1, clocks - wide)))
            window = {"name": "long", "seed": 0, "begin": begin, "end": begin + wide}
            metric = f"metric{random.integers(METRICS)}"
            began = time.perf_counter()
            page.ask("/data/series", **window, metric=metric, points=500)
            series = time.perf_counter() - began
            page.ask("/data/returns", **window, points=300)
            times.append((1e3 * series, 1e3 * (time.perf_counter() - began - series)))
        for name, column in zip(("series", "returns"), np.array(times).T, strict=True):
            note = f"windows of any width; the slowest of 60 took {max(column):.0f}"
            found[f"{name} of a window"] = _figure(statistics.median(column), "ms", note)
        found |= _in_browser(page)
    finally:
        page.end()
    return found


def _first_answers(page: Page, clocks: int) -> float:
    began = time.perf_counter()
    for path in ("/", "/page.css", "/main.js", "/vendor/uPlot.esm.js", "/data/lives"):
        page.ask(path)
    for what in ("life", "matrix", "events", "glimpse"):
        page.ask(f"/data/{what}", name="long")
    page.ask("/data/series", name="long", metric="metric0", seed=0, begin=0, end=clocks, points=500)
    page.ask("/data/returns", name="long", seed=0, begin=0, end=clocks, points=300)
    return time.perf_counter() - began


def _in_browser(page: Page) -> dict[str, Any]:
    """First paint of the curve after the link is opened, and of the next window after a key; none without chromium."""
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        return {}
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    with tempfile.TemporaryDirectory() as profile:
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}"):
            options.add_argument(flag)
        browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            browser.set_script_timeout(60)
            browser.get(f"{page.base}/?token={page.token}")
            loaded = browser.execute_async_script(WHEN_DRAWN)
            browser.execute_script("document.getElementById('curves').focus()")
            keys = [browser.execute_async_script(AFTER_KEY, key) for key in ["+", "+", "ArrowRight", "ArrowLeft", "-", "+"] * 4]
        finally:
            browser.quit()
    note = f"from the key to the new curve, in chromium; the slowest of {len(keys)} took {max(keys):.0f}"
    return {
        "first paint": _figure(loaded / 1e3, "seconds", "from the link to the drawn curve, in chromium"),
        "pan or zoom": _figure(statistics.median(keys), "ms", note),
    }


# The page marks when a chart was drawn: performance.mark("curves").
WHEN_DRAWN = """const done = arguments[0];
(function look() { const marks = performance.getEntriesByName("curves");
  if (marks.length) done(marks[0].startTime); else setTimeout(look, 5); })();"""
AFTER_KEY = """const [key, done] = arguments; performance.clearMarks("curves"); const began = performance.now();
document.getElementById("curves").dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
(function look() { const marks = performance.getEntriesByName("curves");
  if (marks.length) done(marks[0].startTime - began); else setTimeout(look, 1); })();"""


def life_times(stretches: int = 60) -> dict[str, Any]:
    """Measure what its chronicle and its watchers cost a life, in processor time.

    One life runs in stretches of 20 chunks, which are half a second at RATE. It takes turns: bare, written down, and
    written down while five pages look on. The machine's other work is not counted; it would hide such small shares.
    """
    with tempfile.TemporaryDirectory() as folder:
        lives = Path(folder)
        page = Page(lives)
        try:
            spent = _spent(lives, page, stretches)
        finally:
            page.end()
    bare, written, watched = (1e6 * statistics.median(spent[how]) for how in ("bare", "written", "watched"))
    note = f"of a life of {RATE:,} decisions/s; a decision takes {bare:.0f} us bare, {written:.0f} written, {watched:.0f} watched"
    chronicle, pages = _lost(spent["bare"], spent["written"]), _lost(spent["written"], spent["watched"])
    return {
        "lost to the chronicle": _figure(chronicle[0], "share", f"{_interval(chronicle)} {note}"),
        "lost to five open pages": _figure(pages[0], "share", f"{_interval(pages)} each asks every two seconds; {note}"),
    }


def _lost(less: list[float], more: list[float]) -> tuple[float, float, float]:
    """Median of what a stretch takes more than the stretch before it, as a share of a second at RATE, and its 95 %."""
    gaps = RATE * (np.array(more) - np.array(less))
    again = np.median(np.random.default_rng(0).choice(gaps, (2000, len(gaps))), axis=1)
    return float(np.median(gaps)), *(float(edge) for edge in np.quantile(again, [0.025, 0.975]))


def _interval(lost: tuple[float, float, float]) -> str:
    return f"[{lost[1]:.4f}, {lost[2]:.4f}]"


def _spent(lives: Path, page: Page, stretches: int) -> dict[str, list[float]]:
    """Processor seconds of a decision, for each stretch of each kind."""
    rhythm = Rhythm(random=0, learn_every=CHUNK, updates=0, chunk=CHUNK, probe_episodes=1)
    life = Life(world=gymnasium(id="Pendulum-v1"), agent=RandomAgent(), teacher=Blocks(), rhythm=rhythm)
    description = {"life": expression.write(life), "end": 10**9, "rows": 1}
    spent: dict[str, list[float]] = {"bare": [], "written": [], "watched": []}
    words = [sys.executable, "-c", VISITOR, page.base, page.token, "measured"]
    # a stretch is what is written at once at RATE, and would be less where other work makes it last longer
    writer.EVERY = math.inf
    with Folder.create("measured", description, lives=lives) as folder:
        living = Living(life, folder, end=10**9)
        value, clock = living.chunk(living.engine.begin(), 0)
        segment = rhythm.segment(clock, 10**9)
        visitors = [subprocess.Popen(words) for _ in range(PAGES)]
        try:
            for index in range(3 * stretches):
                how = list(spent)[index % 3]
                for visitor in visitors:
                    visitor.send_signal(signal.SIGCONT if how == "watched" else signal.SIGSTOP)
                began = time.process_time()
                for _ in range(STRETCH):
                    if how == "bare":
                        value, clock = living.engine.advance(value, segment)[0], clock + CHUNK
                    else:
                        value, clock = living.chunk(value, clock)
                living.write(value, clock)
                spent[how].append((time.process_time() - began) / (STRETCH * CHUNK))
        finally:
            for visitor in visitors:
                visitor.kill()
                visitor.wait()
            living.close(value)
    return spent


# What a page asks every two seconds while a life runs.
VISITOR = """
import sys, time, urllib.request
base, token, name = sys.argv[1:]
while True:
    for what in ("lives?", "life?", "series?metric=reward&points=500&end=99999&", "returns?points=300&end=99999&", "glimpse?"):
        request = urllib.request.Request(f"{base}/data/{what}name={name}", headers={"Authorization": f"Bearer {token}"})
        urllib.request.urlopen(request).read()
    time.sleep(2)
"""


def _figure(value: float, unit: str, note: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "share": None, "of": None, "note": note}


def run() -> dict[str, dict[str, Any]]:
    """Both."""
    with tempfile.TemporaryDirectory() as lives:
        return {**page_times(Path(lives)), **life_times()}


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["page", "life"]
    results: dict[str, Any] = {}
    if "page" in wanted:
        with tempfile.TemporaryDirectory() as place:
            results |= page_times(Path(place))
    if "life" in wanted:
        results |= life_times()
    print(json.dumps(results, indent=1))
