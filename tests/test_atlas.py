"""The atlas: every system, recipe and claim is in it, and its page needs nothing else."""

import base64
import hashlib
import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from umwelt.atlas import Row, rows, search, systems, unplaced
from umwelt.atlas.systems import KINDS, STATUSES, WINGS
from umwelt.claims.documents import own, stored
from umwelt.claims.documents import page as claims_page
from umwelt.claims.results import Judged, Result, hash_of, judged
from umwelt.cli.main import main
from umwelt.recipes import ALL
from umwelt.report.atlas_page import atlas_page

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def found() -> tuple[Row, ...]:
    return rows()


@pytest.fixture(scope="module")
def made_shown() -> Judged:
    """The claim of losse_mpc with a result made by hand, in which its idea gains 900 on the mean."""
    claim = own()["losse_mpc"][0]
    first, *others = claim.arms
    measure = claim.expects[0].measure
    values = {first: {measure: (-180.0, -200.0, -220.0, -190.0, -210.0)}} | {name: {measure: (-1100.0,) * 5} for name in others}
    result = Result(
        claim=claim.name, command="umwelt show losse_mpc --run", date="2026-11-29", minutes=1.0, seeds=claim.seeds, tries=1,
        hashes={name: hash_of(arm) for name, arm in claim.arms.items()}, values=values, machine={}, versions={},
    )  # fmt: skip
    return judged(claim, result)


def test_the_table_is_whole_and_in_order() -> None:
    table = systems()
    assert Counter(each.kind for each in table if each.kind not in ("baseline", "part")) == {
        "system": 203, "testbed": 21, "metric": 15, "analysis": 44,
    }  # fmt: skip
    assert {each.kind for each in table} <= set(KINDS)
    assert {each.wing for each in table} <= set(WINGS)
    assert not [name for name, count in Counter(each.name for each in table).items() if count > 1]
    for each in table:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", each.name), each.name
        assert each.words, each.name
        assert each.title or each.kind == "part" or each.name == "random", each.name
        assert each.year is None or 1950 <= each.year <= 2026, each.name
        assert set(each.recipes) <= set(ALL), each.name
        assert set(each.claims) <= set(own()), each.name


def test_every_recipe_and_claim_is_in_the_atlas_once(found: tuple[Row, ...]) -> None:
    assert unplaced(found) == ()
    for held, known in (("claims", set(own())), ("recipes", set(ALL))):
        places = Counter(name for each in systems() for name in getattr(each, held))
        assert set(places.values()) == {1}, held
        assert set(places) == known


def test_a_row_without_a_claim_says_why(found: tuple[Row, ...]) -> None:
    for row in found:
        assert bool(row.why) != bool(row.claims), row.system.name
        assert row.status, row.system.name
        assert set(row.status) <= set(STATUSES), row.system.name


def test_words_find_the_system_whose_idea_they_name(found: tuple[Row, ...]) -> None:
    assert search(found, ["bisimulation"])[0].system.name == "hrssm"
    assert search(found, ["hypernetwork", "planning"])[0].system.name == "hypercrl"
    assert [row.system.name for row in search(found, ["MuDreamer", "reconstruction"])] == ["mudreamer"]
    # a word of a recipe's summary finds it too, after the rows that have it as a keyword
    assert "losse" in {row.system.name for row in search(found, ["iCEM"])}
    both = search(found, wing="continual", kind="testbed")
    assert {row.system.name for row in both} == {"libero", "instance_test"}
    assert {row.status for row in search(found, status="planned")} == {("planned",)}


def test_a_verdict_reaches_the_row_and_the_page(made_shown: Judged) -> None:
    others = [each for each in stored() if each.claim.recipe != "losse_mpc" and each.claim.cites[:1] != ("losse_2024",)]
    table = rows([made_shown, *others])
    row = next(row for row in table if row.system.name == "losse")
    assert [each.claim.name for each in row.claims if each.claim.recipe == "losse_mpc"] == ["losse_mpc"]
    assert "shown" in row.status
    text = atlas_page(table)
    part = text[text.index('id="losse"') :].split("</tr>")[0]
    assert "✓ shown" in part
    assert "900 [" in part
    # Student's t with 4 degrees of freedom, deviation 15.81: 900 -+ 2.776 * 15.81 / sqrt(5)
    assert "planning over random: 900 [880.4, 919.6]" in part


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))


def test_the_page_needs_nothing_else_and_its_links_lead_somewhere(found: tuple[Row, ...]) -> None:
    text = atlas_page(found)
    page = _Page()
    page.feed(text)
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    ids = Counter(attributes["id"] for _, attributes in page.tags if "id" in attributes)
    assert max(ids.values()) == 1
    claims = claims_page(stored())
    for link in links:
        path, _, anchor = link.partition("#")
        assert "://" not in link
        assert (DOCS / path).exists() if path and path != "claims.md" else path or anchor in ids, link
        assert not path.endswith("claims.md") or f'<a id="{anchor}">' in claims, link
    assert not [tag for tag, attributes in page.tags if "src" in attributes or tag == "link"]
    script = re.search(r"<script>(.*)</script>", text, re.DOTALL)
    assert script
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    policy = next(attributes["content"] for tag, attributes in page.tags if attributes.get("http-equiv"))
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert {row.system.name for row in found} <= set(ids)
    assert all(attributes.get("aria-label") for tag, attributes in page.tags if tag == "svg")
    assert all(attributes.get("scope") for tag, attributes in page.tags if tag == "th")


@pytest.mark.skipif(not (BROWSER and DRIVER), reason="there is no chromium with its driver; `make browser` installs both")
def test_the_filter_leaves_what_fits_and_a_phone_needs_no_sideways_scrolling(found: tuple[Row, ...], tmp_path: Path) -> None:
    webdriver = pytest.importorskip("selenium.webdriver", reason="a browser is driven by selenium, of the dev extra")
    file = tmp_path / "atlas.html"
    file.write_text(atlas_page(found), encoding="utf8")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        screen = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        browser.get(file.as_uri())
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
        browser.find_element("id", "words").send_keys("bisimulation")
        shown = [row.get_attribute("id") for row in browser.find_elements("css selector", "tr[data-text]") if row.is_displayed()]
        assert shown == ["hrssm"]
        assert browser.find_element("id", "count").text == f"1 of {len(found)} rows"
        assert not [line for line in browser.get_log("browser") if line["level"] == "SEVERE"]
    finally:
        browser.quit()


def test_the_verb_answers_with_words_and_with_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["atlas", "bisimulation", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"hrssm"}
    assert told["hrssm"]["status"] == ["planned"]
    assert main(["atlas", "--wing", "world-model", "--status", "planned"]) == 0
    printed = capsys.readouterr().out
    assert "published systems" in printed
    assert "hrssm" in printed
    assert main(["atlas", "no_such_idea"]) == 1
    with pytest.raises(SystemExit):
        main(["atlas", "--wing", "curiousity"])
    assert "did you mean curiosity" in capsys.readouterr().err
