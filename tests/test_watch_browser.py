"""The page in a real browser: Debian's chromium without a screen. `make browser` installs it; screenshots are kept."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from watched import NAMES, describe, live_on, write_life

pytest.importorskip("starlette", reason="the page needs the watch extra")
pytest.importorskip("selenium", reason="a browser is driven by selenium, of the dev extra")
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.watch.address import NAME

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (BROWSER and DRIVER), reason="there is no chromium with its driver; `make browser` installs both"
)
PICTURES = Path(__file__).parents[1] / "build" / "screenshots"
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--window-size=1280,1700")  # fmt: skip
UNKNOWN = "\N{EN DASH}"
STRANGE = "<img src=x onerror=document.title='broken'>"
PATIENCE = 30


class Writer:
    """A life that goes on: it holds its lock, and writes ten decisions ten times a second."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.over = folder, threading.Event()
        self.lock = (describe(folder, end=100_000) / "lock").open("w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.thread = threading.Thread(target=self.write)
        self.thread.start()

    def write(self) -> None:
        with Chronicle(self.folder / "chronicle.db") as chronicle:
            clock = 0
            while not self.over.wait(0.1):
                with chronicle.transaction():
                    live_on(chronicle, clock, clock + 10)
                    clock += 10
                    chronicle.write_timing(clock, {"living": clock / 100})

    def end(self) -> None:
        self.over.set()
        self.thread.join()
        self.lock.close()


@pytest.fixture(scope="module")
def lives(tmp_path_factory):
    lives = tmp_path_factory.mktemp("lives")
    for name in ("finished", STRANGE):
        write_life(lives, name, end=1000)
    os.truncate(write_life(lives, "torn") / "chronicle.db", 20_000)
    write_life(lives, "nameless").joinpath("recipe.json").write_text("{")
    writer = Writer(lives / "alive")
    yield lives
    writer.end()


@pytest.fixture(scope="module")
def link(lives):
    words = [sys.executable, "-m", "umwelt", "watch", str(lives), "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        yield json.loads(server.stdout.readline())["link"]
        assert (lives / NAME).exists()
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=10) == 0
    assert not (lives / NAME).exists()


@pytest.fixture(scope="module")
def browser(tmp_path_factory, link):
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    PICTURES.mkdir(parents=True, exist_ok=True)
    driver.get(link)
    yield driver
    driver.quit()


@pytest.fixture(autouse=True)
def fresh_page(browser, link):
    """Load the page before each test, and look into its console after it; so the tests may run in any order."""
    browser.get(link)
    until(browser, lambda: text(browser, "#name"))
    yield
    assert browser.get_log("browser") == []


def until(browser, condition):
    return WebDriverWait(browser, PATIENCE, 0.1).until(lambda _: condition())


def text(browser, selector):
    return browser.find_element(By.CSS_SELECTOR, selector).get_property("textContent")


def choose(browser, name):
    button = next(each for each in browser.find_elements(By.CSS_SELECTOR, ".lives button b") if each.text == name)
    button.click()
    until(browser, lambda: text(browser, "#name") == name)


def numbers(browser, which="curves"):
    """The rows of a chart's table, the newest first."""
    browser.execute_script("document.getElementById(arguments[0]).open = true", f"{which}-numbers")
    rows = until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, f"#{which}-numbers tbody tr"))
    return browser.execute_script("return arguments[0].map((row) => [...row.children].map((cell) => cell.textContent))", rows)


def newest(browser):
    # the table is replaced every two seconds
    script = "return document.querySelector('#curves-numbers tbody tr th')?.textContent"
    browser.execute_script("document.getElementById('curves-numbers').open = true")
    return int(until(browser, lambda: browser.execute_script(script)).replace(",", ""))


def drawn(browser, which="curves"):
    """How many pixels of a chart are painted."""
    script = """const canvas = document.querySelector(`#${arguments[0]} canvas`); if (!canvas) return 0;
        const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        let painted = 0; for (let at = 3; at < pixels.length; at += 4) painted += pixels[at] > 0; return painted;"""
    return browser.execute_script(script, which)


def emulate(browser, scheme, width=None):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    if width:
        size = {"width": width, "height": 2600, "deviceScaleFactor": 1, "mobile": True}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    else:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_running_life_is_shown_first_and_its_curve_grows(browser):
    until(browser, lambda: text(browser, "#name") == "alive")
    assert "token" not in browser.current_url
    assert text(browser, "#state") == "running"
    assert browser.execute_script("return document.cookie") == "", "no script may read the token"
    first = newest(browser)
    until(browser, lambda: newest(browser) >= first + 20)
    assert until(browser, lambda: drawn(browser)) > 500
    for clock, low, mean, high in numbers(browser):
        # a point is the mean of a stretch that ends at its clock
        assert int(clock.replace(",", "")) / 2 - 5 < float(low) <= float(mean) <= float(high) <= int(clock.replace(",", "")) / 2
    browser.save_screenshot(str(PICTURES / "running.png"))


def test_another_life_shows_its_matrix_its_returns_and_its_episode(browser):
    choose(browser, "finished")
    until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, ".matrix td"))
    cells = [cell.text for cell in browser.find_elements(By.CSS_SELECTOR, ".matrix tbody td")]
    assert cells == ["8", "1", "4", "9"]
    assert [cell.text for cell in browser.find_elements(By.CSS_SELECTOR, ".matrix tfoot td")] == ["0.5", "1"]
    Select(browser.find_element(By.ID, "matrix-kind")).select_by_value("errors")
    assert [cell.text for cell in browser.find_elements(By.CSS_SELECTOR, ".matrix tbody td")] == ["0.5", UNKNOWN] * 2
    Select(browser.find_element(By.ID, "matrix-kind")).select_by_value("returns")
    assert until(browser, lambda: drawn(browser, "returns")) > 500
    assert ["1,000", "moon", "probe", "9", "8", "10", UNKNOWN] in numbers(browser, "returns")
    until(browser, lambda: browser.execute_script("return document.querySelector('.episode img')?.naturalWidth") == 64)
    assert len(browser.find_elements(By.CSS_SELECTOR, ".episode polyline.planned")) == 3
    captions = [caption.text for caption in browser.find_elements(By.CSS_SELECTOR, ".episode figcaption")]
    assert [caption.partition(", from")[0] for caption in captions[-2:]] == NAMES
    assert "a <b>new</b> task" in text(browser, "#events")
    assert text(browser, "#resume").endswith("finished --steps 2000")
    browser.execute_script("for (const each of document.querySelectorAll('details')) each.open = false")
    browser.save_screenshot(str(PICTURES / "finished.png"))


def test_the_window_is_moved_by_keys_and_both_charts_follow(browser):
    choose(browser, "finished")
    chart = browser.find_element(By.ID, "curves")
    until(browser, lambda: newest(browser) == 1000)
    chart.send_keys("+")
    until(browser, lambda: newest(browser) == 750)
    chart.send_keys(Keys.ARROW_RIGHT)
    until(browser, lambda: newest(browser) == 875)
    assert {row[0] for row in numbers(browser, "returns")} <= {"0", "500", "1,000"}
    browser.find_element(By.ID, "returns").send_keys("0")
    until(browser, lambda: newest(browser) == 1000)


def test_curves_of_lives_are_compared(browser):
    choose(browser, "finished")
    item = next(each for each in browser.find_elements(By.CSS_SELECTOR, ".lives li") if each.text.startswith("alive"))
    item.find_element(By.CSS_SELECTOR, "input").click()
    until(browser, lambda: text(browser, "#curves-legend") == "finishedalive")
    until(browser, lambda: newest(browser) > 1000)
    heads = [head.text for head in browser.find_elements(By.CSS_SELECTOR, "#curves-numbers thead th")]
    assert heads == ["clock", "lowest", "mean, finished", "highest", "lowest", "mean, alive", "highest"]
    browser.save_screenshot(str(PICTURES / "overlaid.png"))
    browser.find_element(By.CSS_SELECTOR, ".lives input:checked").click()
    until(browser, lambda: not browser.find_element(By.ID, "curves-legend").is_displayed())
    until(browser, lambda: newest(browser) == 1000)


def test_names_are_text_and_a_damaged_life_says_what_to_do(browser):
    choose(browser, STRANGE)
    assert browser.find_elements(By.CSS_SELECTOR, "img[src=x]") == []
    assert browser.title.startswith(STRANGE)
    choose(browser, "torn")
    assert not browser.find_element(By.ID, "go-on").is_displayed()
    assert "put back a copy" in until(browser, lambda: browser.find_element(By.ID, "trouble").text)
    assert not browser.find_element(By.ID, "cards").is_displayed()
    browser.save_screenshot(str(PICTURES / "damaged.png"))
    choose(browser, "nameless")
    assert "recipe.json is damaged" in text(browser, "#trouble")
    until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, ".matrix td"))
    assert until(browser, lambda: drawn(browser)) > 500, "what can be read is shown"
    choose(browser, "finished")
    assert browser.find_element(By.ID, "cards").is_displayed()
    assert not browser.find_element(By.ID, "trouble").is_displayed()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_sticks_out(browser, scheme):
    emulate(browser, scheme, 360)
    time.sleep(1.0)  # for the charts to be drawn in the new size and colours, before the picture is taken
    widths = browser.execute_script(
        "return [document.documentElement.scrollWidth, document.getElementById('curves').clientWidth]"
    )
    browser.save_screenshot(str(PICTURES / f"phone-{scheme}.png"))
    canvas = browser.execute_script("return document.querySelector('#curves canvas').getBoundingClientRect().right")
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    emulate(browser, scheme)
    time.sleep(1.0)
    browser.save_screenshot(str(PICTURES / f"desk-{scheme}.png"))
    emulate(browser, "light")
    assert widths[0] <= 360
    assert canvas <= 360
    assert (int(ground.split("(")[1].split(",")[0]) < 60) == (scheme == "dark")


def test_everything_is_reached_by_the_keyboard_and_shows_where_one_is(browser):
    choose(browser, "finished")
    browser.execute_script("document.activeElement.blur(); window.scrollTo(0, 0)")
    reached = set()
    for _ in range(40):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        focused = browser.switch_to.active_element
        outline = focused.value_of_css_property("outline-style")
        if focused.tag_name == "body":  # past the end
            continue
        assert outline != "none", focused.get_attribute("outerHTML")[:80]
        reached.add(focused.get_attribute("id") or focused.tag_name)
    assert {"metric", "seed", "copy", "earlier", "whole", "curves", "returns", "matrix", "events", "summary"} <= reached
    unnamed = browser.execute_script(
        "const named = (each) => each.textContent.trim() || each.getAttribute('aria-label') || each.labels?.length"
        " || each.getAttribute('alt') !== null;"
        "return [...document.querySelectorAll('button, select, input, img, [role=img]')].filter((each) => !named(each)).length"
    )
    assert unnamed == 0


def quiet(browser, seconds):
    """Whether the page asks nothing for so long; while it is visible it asks every two seconds."""
    asked = browser.execute_script("return window.asked")
    time.sleep(seconds)
    return browser.execute_script("return window.asked") == asked


def test_a_page_that_stays_open_does_not_grow(browser):
    choose(browser, "alive")
    browser.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")
    until(browser, lambda: newest(browser) > 600)  # from here on the table and the chart are full
    browser.execute_script(
        "window.asked = 0; const plain = window.fetch;window.fetch = (...given) => { window.asked += 1; return plain(...given); }"
    )
    before = browser.execute_script("return document.querySelectorAll('*').length")
    until(browser, lambda: browser.execute_script("return window.asked") >= 6)
    assert browser.execute_script("return document.querySelectorAll('*').length") <= before + 5
    browser.execute_script("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    until(browser, lambda: quiet(browser, 2.5))  # a round that has begun, or that waits for its time, is finished
    assert quiet(browser, 2.5), "a hidden page asks nothing"
    asked = browser.execute_script("return window.asked")
    browser.execute_script("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    until(browser, lambda: browser.execute_script("return window.asked") > asked)
