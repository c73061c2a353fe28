"""The report of lives with hand-made numbers: read with a parser, compared with results worked out by hand."""

import itertools
import json
import re
import shutil
import sqlite3
import tempfile
import xml.etree.ElementTree as ElementTree
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from report_lives import EVIL, Page, write_life

from umwelt.cli.main import main
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.report import writing
from umwelt.report.examination import examined_of, kept_at
from umwelt.report.reading import read_life_data
from umwelt.report.sections import Sections, grouped


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lives")
    write_life(folder, "one")
    write_life(folder, "better", agent="Losse", gain=2.0)
    clock = np.arange(1, 301)
    with Chronicle(folder / "one" / "chronicle.db") as chronicle:
        chronicle.write_trail(
            {"seed": 0, "clock": clock, "task": EVIL, "x": clock % 7.0, "y": clock % 5.0, "z": np.nan}
            | {"doubt": np.where(clock % 2, 0.25, 0.75)}
        )
    return folder


def without(life: Path, copy: Path, *tables: str) -> Path:
    """A copy of a life without the rows of these tables, so that no time goes into figures that a test does not read."""
    shutil.copytree(life, copy)
    with closing(sqlite3.connect(copy / "chronicle.db")) as link:
        for name in tables:
            link.execute(f"DELETE FROM {name}")
        link.commit()
    return copy


@pytest.fixture(scope="module")
def bare(lives: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lives again, of which nothing can be drawn but the curves and what an exam found."""
    folder = tmp_path_factory.mktemp("bare")
    for name in ("one", "better"):
        without(lives / name, folder / name, "episodes", "probes", "timing", "trail")
    return folder


@pytest.fixture(scope="module")
def single(lives: Path) -> Page:
    assert main(["report", str(lives / "one"), "--out", str(lives / "single")]) == 0
    return Page(lives / "single" / "index.html")


@pytest.fixture(scope="module")
def several(lives: Path) -> Page:
    assert main(["report", str(lives / "one"), str(lives / "better"), "--out", str(lives / "several")]) == 0
    return Page(lives / "several" / "index.html")


@pytest.mark.parametrize("which", ["single", "several"])
def test_a_page_needs_nothing_from_elsewhere_and_runs_no_script(which: str, request: pytest.FixtureRequest) -> None:
    page = request.getfixturevalue(which)
    names = {tag for tag, _ in page.elements}
    assert not names & {"script", "iframe", "link", "object", "embed", "base", "form", "foreignobject"}
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), f"{tag} has {name}"
            if name in ("src", "href", "action", "xlink:href"):
                assert value.startswith(("#", "data:image/png")), f"{tag} points to {value[:60]}"
            elsewhere = re.findall(r"url\((?!#)|https?:|@import|expression\(", value) if name != "content" else []
            assert not elsewhere, f"{tag} {name}={value[:80]}"
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "script-src" not in policy, "no script has any right"
    assert EVIL in page.text, "the name of a task is text"


@pytest.mark.parametrize("which", ["single", "several"])
def test_a_page_has_landmarks_names_and_numbers_for_screen_readers(which: str, request: pytest.FixtureRequest) -> None:
    page = request.getfixturevalue(which)
    assert page.all("html")[0]["lang"] == "en"
    for landmark in ("header", "nav", "main", "footer", "title"):
        assert len(page.all(landmark)) == 1, landmark
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels)), "no heading is left out"
    names = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(names) == len(set(names)), "every name is there once"
    targets = [link["href"][1:] for link in page.all("a")]
    assert set(targets) <= set(names)
    for drawing in page.all("svg"):
        assert drawing["role"] == "img"
        assert len(drawing["aria-label"]) > 40
    assert len(page.all("svg")) == len(page.all("figure")) == len(page.all("figcaption"))
    assert len(page.all("details")) >= len(page.all("figure")), "every figure has its numbers"
    assert all(image.get("alt") for image in page.all("img"))
    for scrolled in (element for element in page.all("div") if element.get("class") == "wide"):
        assert scrolled["tabindex"] == "0"
        assert scrolled["aria-label"]
    assert len(page.tables) == len(page.captions), "every table has a caption"
    for table in page.tables:
        assert len({len(row) for row in table}) == 1, f"ragged: {table[0]}"


def test_the_numbers_are_those_worked_out_by_hand(single: Page) -> None:
    matrix = single.table("Return of each task after each lesson")
    assert matrix == [
        ["after the lesson on", EVIL, "b"],
        [f"1. {EVIL}", "8", "1"],
        ["2. b", "6", "9"],
        [f"3. {EVIL}", "8", "9"],
    ]
    errors = single.table("Model error of each task after each lesson")
    assert [row[1:] for row in errors[1:]] == [["0.1", "0.8"], ["0.3", "0.2"], ["0.15", "0.2"]]
    # kept: both are worth their best; the model's error on the first task grew from 0.1 to 0.15
    assert single.table("The same for each task")[1:] == [[EVIL, "1", "0", "0", "1.5"], ["b", "1", "0", "0", "1"]]
    metrics = {row[0]: row[1] for row in single.table("Lifelong metrics")[1:]}
    assert metrics["kept, over all tasks"].startswith("1 [")
    assert metrics["lost since"].startswith("0 [")
    assert metrics["error grown"] == "1.25 (no interval)", "both seeds have the same errors"
    # surprise at clock c is c: the first lesson's records at 10 .. 100 have the mean 55; returns are 1 and 3, then one more each
    lessons = single.table("Means over each lesson")
    assert lessons[1] == ["1", EVIL, "1 to 101", "2 [2, 2]", "55", "245"]
    assert lessons[3] == ["3", EVIL, "202 to 300", "4 [4, 4]", "255", "45"]
    spent = {(row[0], row[1]): row[2] for row in single.table("Where the time went")[1:]}
    # 4 s before the life was resumed, 3 s after it; the seconds of probes never fall, so they are one sum
    assert spent == {("one", "acting and learning"): "7", ("one", "probes"): "1"}
    positions = single.table("Where the agent was")[1]
    assert positions == [EVIL, "300", "0 to 6", "0 to 4", "-", "0.5"]
    assert single.table("Everything that happened")[1][:4] == ["120", "0", "changed", f"the wind turned {EVIL}"]


def test_the_page_says_what_was_run_and_what_was_not_done(single: Page, lives: Path) -> None:
    assert f"umwelt live --note '{EVIL}'" in single.text
    assert "Pets(\n        horizon=5,\n    )" in single.text
    assert ["python", "3.11"] in single.table("Seeds, versions and machine")
    assert "There is no film" in single.text
    assert f"umwelt report {lives / 'one'} --out {lives / 'single'} --examine" in single.text


def test_lives_side_by_side_are_compared_by_hand_computed_shares(several: Page) -> None:
    worth = several.table("Returns of each group")
    labels = ["Pets (2 seeds)", "Losse (2 seeds)"]
    assert worth[0][1:] == labels
    values = {row[0]: [cell.split(" ")[0] for cell in row[1:]] for row in worth[1:]}
    assert values[f"return on {EVIL}"] == ["8", "10"]
    assert values["return on b"] == ["9", "11"]
    # floors are 0 and the best 10 and 11: shares 0.8, 0.818 against 1 and 1; the middle half of two pairs is their mean
    assert values["all tasks, as a share of the best"] == ["0.809", "1.000"]
    chances = several.table("Probability of improvement")[1:]
    assert [[*row[:2], row[2].split(" ")[0]] for row in chances] == [["Pets", "Losse", "0.000"], ["Losse", "Pets", "1.000"]]
    profiles = several.table("Performance profiles")
    above = {row[0]: [cell.split(" ")[0] for cell in row[1:]] for row in profiles[1:]}
    assert above["Losse"] == ["1.00"] * 10 + ["0.00"]
    assert above["Pets"] == ["1.00"] * 8 + ["0.50", "0.00", "0.00"], "at 0.8 only the second task is above"
    assert ["agent", "Pets", "Losse"] in several.table("Settings that differ")


def test_each_figure_lies_beside_the_page_in_both_forms(single: Page, lives: Path) -> None:
    figures = lives / "single" / "figures"
    names = {path.stem for path in figures.iterdir()}
    assert names == {"curves", "returns", "errors", "time", "positions", "coverage"}
    for name in names:
        ElementTree.parse(figures / f"{name}.svg")
        assert (figures / f"{name}.png").read_bytes().startswith(b"\x89PNG\r\n")
    assert len(single.all("svg")) == len(names)


def test_a_report_is_replaced_whole_or_not_at_all(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "report"
    assert main(["report", str(bare / "one"), "--out", str(out)]) == 0
    before = (out / "index.html").read_bytes()

    def fail(*_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(writing, "_replace", fail)
    with pytest.raises(OSError, match="the disk is gone"):
        main(["report", str(bare / "better"), "--out", str(out)])
    assert (out / "index.html").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["report"], "no draft is left behind"
    monkeypatch.undo()
    assert main(["report", str(bare / "better"), "--out", str(out)]) == 0
    assert "The life better" in (out / "index.html").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_folder_of_something_else_is_left_alone(bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(SystemExit) as stopped:
        main(["report", str(bare / "one"), "--out", str(tmp_path)])
    assert stopped.value.code == 2
    assert "holds thesis.tex, which is not of a report" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_damage_is_reported_and_the_rest_is_shown(lives: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = without(lives / "one", tmp_path / "broken", "timing", "trail")
    (broken / "recipe.json").write_text('{"umwelt": "li')
    (broken / "foresight.npz").write_bytes(b"PK half a file")
    assert main(["report", str(broken), str(tmp_path / "nowhere"), "--out", str(tmp_path / "report")]) == 0
    page = Page(tmp_path / "report" / "index.html")
    assert "What was run is not known" in page.text
    assert "foresight.npz" in page.text
    assert "there is no life at" in page.text
    assert page.table("Return of each task")[1][1:] == ["8", "1"]
    assert "there is no life at" in capsys.readouterr().err


def test_a_chronicle_that_is_no_database_still_leaves_what_was_run(lives: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(lives / "one", broken)
    (broken / "chronicle.db").write_bytes(b"this was a database" * 100)
    assert main(["report", str(broken), "--out", str(tmp_path / "report")]) == 0
    page = Page(tmp_path / "report" / "index.html")
    assert "Nothing was read of what the life wrote down" in page.text
    assert "umwelt live --note" in page.text


def test_a_missing_table_costs_its_section_only(lives: Path, tmp_path: Path) -> None:
    broken = without(lives / "one", tmp_path / "broken", "timing", "trail")
    link = sqlite3.connect(broken / "chronicle.db")
    link.execute("DROP TABLE probes")
    link.close()
    life = read_life_data(broken)
    assert [fault for fault in life.faults if "probes" in fault]
    assert len(life.faults) == 1
    assert len(life.episodes["seed"]) == 12
    assert main(["report", str(broken), "--out", str(tmp_path / "report")]) == 0


@example(seed=55, hurt="chronicle.db", cut=True, bytes_=60)
@example(seed=73369, hurt="chronicle.db", cut=False, bytes_=60)  # a seed is listed, and its metrics are gone
@settings(max_examples=4)
@given(
    seed=st.integers(0, 10**6),
    hurt=st.sampled_from(["chronicle.db", "chronicle.db", "recipe.json"]),
    cut=st.booleans(),
    bytes_=st.integers(1, 60),
)
def test_whatever_is_damaged_the_sections_stand(lives: Path, seed: int, hurt: str, cut: bool, bytes_: int) -> None:
    random = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one"
        shutil.copytree(lives / "better", path)
        data = bytearray((path / hurt).read_bytes())
        if cut:
            data = data[: random.integers(len(data))]
        else:
            for index in random.integers(0, len(data), bytes_):
                data[index] = random.integers(256)
        (path / hurt).write_bytes(data)
        life = read_life_data(path)
        built = Sections(grouped([life]), "umwelt report").build()
    assert [section.title for section in built][:2] == ["What was run", "Over the clock"]
    if cut:
        assert life.faults, "half a file is not taken for a whole one"


@pytest.mark.parametrize(
    ("statement", "titles"),
    [
        ("UPDATE trail SET x = 1e308 WHERE clock = 1", set()),
        ("UPDATE events SET wall = 1e300", set()),
        ("UPDATE timing SET seconds = 1e308", set()),
        ("UPDATE probes SET label = 'other'", set()),
        ("UPDATE metrics SET value = 1e308 WHERE clock = 10", set()),
        ('UPDATE episodes SET "end" = "end" + 4611686018427387904', {"Over the clock"}),
    ],
)
def test_numbers_that_no_life_writes_cost_one_section_at_most(lives: Path, tmp_path: Path, statement: str, titles: set) -> None:
    # the trail is drawn alone: it reaches no figure of the others
    unread = ("episodes", "probes", "timing") if "trail" in statement else ("trail",)
    without(lives / "one", tmp_path / "one", *unread)
    with closing(sqlite3.connect(tmp_path / "one" / "chronicle.db")) as link:
        link.execute(statement)
        link.commit()
    life = read_life_data(tmp_path / "one")
    built = Sections(grouped([life]), "umwelt report").build()
    lost = {section.title for section in built if any("Left out" in each for each in section.content)}
    assert lost <= titles


def test_a_chronicle_is_not_whole_without_its_last_page(lives: Path, tmp_path: Path) -> None:
    shutil.copytree(lives / "better", tmp_path / "one")
    assert read_life_data(tmp_path / "one").faults == ()
    data = (tmp_path / "one" / "chronicle.db").read_bytes()
    (tmp_path / "one" / "chronicle.db").write_bytes(data[:-1])  # nothing that a report reads stands there
    assert [fault for fault in read_life_data(tmp_path / "one").faults if "end of the chronicle" in fault]


def test_no_life_at_all_is_an_error_of_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["report", str(tmp_path / "nowhere"), "--out", str(tmp_path / "report")])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "report").exists()


def test_a_running_life_can_be_reported(lives: Path, tmp_path: Path) -> None:
    without(lives / "one", tmp_path / "one", "probes", "timing", "trail")
    with Chronicle(tmp_path / "one" / "chronicle.db") as writer:
        writer.rewind(200)
        with writer.transaction():
            writer.write(0, np.array([210]), {"surprise": np.array([1e9])})
            assert main(["report", str(tmp_path / "one"), "--out", str(tmp_path / "report")]) == 0
    page = Page(tmp_path / "report" / "index.html")
    assert "stands before its end at 300" in page.text
    assert "200 decisions of each seed" in page.text, "an open transaction is not shown"
    assert f"umwelt resume {tmp_path / 'one'}" in page.text


def test_every_region_and_every_stripe_of_a_figure_has_a_legend(lives: Path, tmp_path: Path) -> None:
    """Matplotlib names what `fill_between` draws."""
    # what was timed and where the agent was are drawn without regions
    both = [read_life_data(without(lives / name, tmp_path / name, "timing", "trail")) for name in ("one", "better")]
    task = {"compared": "observation", "doubt_groups": [], "doubt_rank": None, "doubt_error": None, "by_number": [0.1, None]}
    tasks = {"a": {**task, "error": [0.1, 0.2]}, "b": {**task, "error": [0.3, 0.4]}}
    looked = {"clock": 300, "episodes": 4, "note": "", "horizons": [1, 5], "tasks": tasks}
    clock = np.arange(10.0, 301.0, 10.0)
    seeds = {seed: {"clock": clock, "low": clock, "mean": clock + seed + 1, "high": clock + 4} for seed in (0, 1)}
    told = {}
    for label, chosen in (("alone", both[:1]), ("beside", both)):
        shown = [replace(life, examined=looked, curves={"surprise": seeds}) for life in chosen]
        built = Sections(grouped(shown), "umwelt report")
        built.build()
        for drawing in built.drawings:
            text = drawing.svg.decode()
            regions = "FillBetweenPolyCollection" in text
            assert regions == ("region: " in text), f"{label}: {drawing.name}"
            if regions:
                told[label, drawing.name] = text.split("region: ")[1].split("<")[0]
            assert ("stripe: lesson" in text) == (drawing.name == "curves")
    assert told == {
        ("alone", "curves"): "lowest to highest in a stretch of the clock",
        ("alone", "horizons"): "lowest to highest task",
        ("beside", "curves"): "lowest to highest seed",
        ("beside", "horizons"): "lowest to highest task",
        ("beside", "profiles"): "95 % interval over seeds, of each level alone",
    }


def test_numbers_of_an_observation_have_the_names_that_the_life_wrote_down(bare: Path) -> None:
    life = read_life_data("one", bare)
    film = {"tasks": np.array(["b"]), "dimensions": np.array([0, 2])}
    film |= {"real": np.arange(8.0).reshape(1, 1, 4, 2), "imagined": np.ones((1, 1, 4, 2))}
    task = {"compared": "observation", "error": [0.2], "doubt_groups": [], "by_number": [0.3, None, 0.1]}
    looked = {"clock": 300, "episodes": 4, "note": "", "horizons": [1], "tasks": {"b": task}}
    for names, said in ((["heat", EVIL, "load"], ("heat", "load")), (None, ("observation 0", "observation 2"))):
        described = life.description | {"observation_names": names}
        built = Sections(grouped([replace(life, film=film, examined=looked, description=described)]), "umwelt report")
        written = "".join(part for section in built.build() for part in section.content)
        drawn = next(drawing for drawing in built.drawings if drawing.name == "imagination")
        assert drawn.table.caption.endswith(", ".join(said))
        for name, error in zip(said, ("0.3", "0.1"), strict=True):
            assert f"{name}: observed" in drawn.svg.decode()
            assert re.search(rf">{name}</th>\s*<td>{error}</td>", written), written[-3000:]


def test_an_examination_is_used_until_the_next_save(bare: Path, tmp_path: Path) -> None:
    shutil.copytree(bare / "one", tmp_path / "one")
    (tmp_path / "one" / "checkpoints" / f"{300:012d}").mkdir(parents=True)
    life = read_life_data(tmp_path / "one")
    assert examined_of(life, tmp_path / "report" / "examined", False) == ({}, "")
    found, fault = examined_of(life, tmp_path / "report" / "examined", True)
    assert (found, "could not be examined" in fault) == ({}, True), "that save is empty"
    groups = [[0.1 * group, 0.2 * group] for group in range(1, 11)]
    task = {"compared": "belief", "error": [0.01, 0.05, 0.2, None], "doubt_rank": 0.9, "doubt_error": 0.1, "doubt_groups": groups}
    found = {"clock": 300, "episodes": 4, "note": "", "horizons": [1, 5, 15, 50], "tasks": {"b": task}}
    found["decision"] = {"acting": 0.001, "planning": 0.0125, "learning": 0.0015, "world": 0.01}
    kept = tmp_path / "report" / "examined"
    kept.mkdir(parents=True)
    name = kept_at(kept, life.name, 300, life.description).name
    (kept / name).write_text(json.dumps(found))
    assert main(["report", str(tmp_path / "one"), "--out", str(tmp_path / "report")]) == 0
    page = Page(tmp_path / "report" / "index.html")
    assert page.table("Model error by horizon")[1] == ["b", "belief", "0.01", "0.05", "0.2", "-"]
    assert page.table("Calibration of doubt")[10] == ["b", "10", "1", "2"]
    cost = page.table("What one decision costs")
    assert cost[2:] == [
        ["one", "planning", "12.5", "50.0%"],
        ["one", "learning", "1.5", "6.0%"],
        ["one", "the world", "10", "40.0%"],
    ]
    assert (kept / name).exists(), "the next report has it too"
    (tmp_path / "one" / "checkpoints" / f"{400:012d}").mkdir()
    assert examined_of(life, kept, False) == ({}, "")
