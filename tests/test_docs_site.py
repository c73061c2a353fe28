"""The documentation site: it builds without a warning and reads without a network, and its code runs.

Commands of the pages run in one process on one short life. Where a command would begin a life of its own, its options are
read and its parts are built, and nothing else.
"""

import contextlib
import doctest
import io
import itertools
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from umwelt.cli.live import read
from umwelt.cli.main import VERBS, main

HOME = Path(__file__).parents[1]
DOCS = HOME / "docs"
PAGES = sorted((DOCS / "site").glob("*.md"), key=lambda path: (path.stem != "start-here", path.stem))
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
FENCE = re.compile(r"^```(python|console|pycon)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SHORT = shlex.split(
    "--quiet --recipe.planner shooting --recipe.planner.samples 32 --recipe.planner.horizon 8 --recipe.model.encoder.grids 4"
    " --rhythm.random 100"
)
"""What makes the lives of the pages short. The page's own command is read in full too."""
FIRST = shlex.split(
    "--steps 400 --teacher.names earth moon --teacher.steps 200 --world.time-limit 50"
    " --rhythm.probe-every 100 --rhythm.probe-episodes 3"
)
"""The first life has the parts of the first notebook, so that both compile the same programs."""
TANK = shlex.split("--steps 120 --rhythm.probe-episodes 1")
FEWER = {"--steps": "440", "--episodes": "2"}
"""Numbers in the commands about a life."""
BEGIN = ("live", "sweep", "watch", "serve")
"""Verbs that begin a life or do not end; their options are read, and no more."""


def blocks(text: str) -> list[tuple[str, str]]:
    """Return (language, code) of each block that runs, in order."""
    return FENCE.findall(text)


def commands(text: str) -> list[list[str]]:
    """Return the words of each command of the console blocks."""
    shown = "".join(code for language, code in blocks(text) if language == "console")
    return [shlex.split(line[2:]) for line in shown.splitlines() if line.startswith("$ ")]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the life of the first page, which all pages read."""
    folder, before = tmp_path_factory.mktemp("pages"), Path.cwd()
    (folder / "matplotlibrc").write_text("backend: agg\n")
    for page in PAGES:
        for language, code in blocks(page.read_text()):
            if language == "python" and (found := re.match(r"# (\w+\.py)\n", code)):
                (folder / found.group(1)).write_text(code)
    ideas = [code for language, code in blocks((DOCS / "site" / "your-own-idea.md").read_text()) if language == "python"]
    (folder / "my_idea.py").write_text("\n".join(ideas))
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    with contextlib.redirect_stdout(io.StringIO()):
        for page, name, short in (("start-here", "first", FIRST), ("your-own-simulator", "tank", TANK)):
            begin = next(
                words for words in commands((DOCS / "site" / f"{page}.md").read_text()) if words[-2:] == ["--name", name]
            )
            assert main([*begin[1:], *SHORT, *short]) == 0
        for page in PAGES:  # a page's code may read what its commands have written
            for words in commands(page.read_text()):
                assert words[1] != "record" or main(shorter(words)) == 0
    yield folder
    sys.path.remove(str(folder))
    os.chdir(before)


def shorter(words: list[str]) -> list[str]:
    """The verb and the words of a command, with fewer steps and episodes. Examinations are of the first life."""
    fewer = [FEWER.get(before, word) for before, word in itertools.pairwise(words)]
    return [re.sub(r"^lives/tank$", "lives/first", word) if fewer[0] in ("probe", "report") else word for word in fewer]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_commands_of_a_page_work(page: Path, workplace: Path, done: set[str], capsys: pytest.CaptureFixture[str]) -> None:
    for words in commands(page.read_text()):
        assert words[0] == "umwelt"
        assert words[1] in VERBS, f"there is no verb {words[1]}"
        if words[1] == "live":
            life, _, _ = read(words[2:])
            assert life.world.spec.name
        elif words[1] in BEGIN:
            with pytest.raises(SystemExit):
                main([words[1], "--help"])
            helped = capsys.readouterr().out
            assert all(word in helped for word in words if word.startswith("--"))
        elif words[1] != "record" and (line := shlex.join(shorter(words))) not in done:
            done.add(line)
            assert main(shorter(words)) == 0, f"{shlex.join(words)}: {capsys.readouterr()}"


@pytest.fixture(scope="module")
def done() -> set[str]:
    """Commands that have run; another page's same command is not run again."""
    return set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_code_of_a_page_runs(page: Path, workplace: Path) -> None:
    names: dict[str, object] = {"__name__": "page"}
    for language, code in blocks(page.read_text()):
        if language == "python" and not code.startswith("# my_"):
            exec(compile(code, str(page), "exec"), names)
        elif language == "pycon":
            check_examples(code, names, page)


def check_examples(code: str, names: dict[str, object], page: Path) -> None:
    """Run examples with their outputs, as a session of Python shows them."""
    example = doctest.DocTestParser().get_doctest(code, names, page.stem, str(page), 0)
    said = io.StringIO()
    failed = doctest.DocTestRunner(verbose=False).run(example, out=said.write, clear_globs=False).failed
    assert not failed, said.getvalue()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    names: dict[str, object] = {"__name__": "notebook"}
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            exec(compile(cell.source, f"{path.stem}, cell {number}", "exec"), names)


def test_a_notebook_is_stored_with_results() -> None:
    assert len(NOTEBOOKS) == 3
    for path in NOTEBOOKS:
        cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
        assert any("image/png" in output.get("data", {}) for cell in cells for output in cell["outputs"]), path.name
        assert not any(output["output_type"] == "error" for cell in cells for output in cell["outputs"])


class Loaded(HTMLParser):
    """What a page loads by itself, and where its links go."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.feed(path.read_text(encoding="utf8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the addresses of a tag."""
        held = dict(attrs)
        if tag in ("script", "img", "iframe", "source") and held.get("src"):
            self.loads.append(str(held["src"]))
        elif tag == "link" and held.get("rel") in ("stylesheet", "icon", "preload"):
            self.loads.append(str(held["href"]))
        elif tag == "a" and held.get("href"):
            self.links.append(str(held["href"]))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built in a process of its own; a warning is an error."""
    folder = tmp_path_factory.mktemp("site") / "docs"
    done = subprocess.run(
        [sys.executable, "-m", "tools.docs", str(folder)], capture_output=True, text=True, cwd=HOME, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_no_page_needs_a_network(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        for address in Loaded(page).loads:
            assert not re.match(r"(https?:)?//", address), f"{page.name} loads {address}"
            assert (page.parent / address.partition("?")[0]).exists() or address.startswith("data:"), f"{page.name}: {address}"
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", sheet.read_text(encoding="utf8")), sheet.name


def test_every_link_between_pages_arrives(site: Path) -> None:
    for page in sorted(site.rglob("*.html")):
        if page.name == "atlas.html":
            continue
        for link in Loaded(page).links:
            address = link.partition("#")[0]
            if address and not re.match(r"\w+:", address):
                assert (page.parent / address).exists(), f"{page.name} links to {address}"


def test_each_contract_and_each_exported_part_has_its_place(site: Path) -> None:
    from umwelt import planners, retention
    from umwelt.core import contracts

    made = {path.stem for path in (site / "reference" / "contracts").glob("*.html")}
    roles = {name.lower() for name, found in vars(contracts).items() if getattr(found, "_is_protocol", False)}
    assert {"world", "model", "planner", "memory", "curiosity", "teacher", "agent", "source"} <= made
    assert roles & {"spills", "consults", "hostedworld"} <= made
    for room in (planners, retention):
        text = (site / "reference" / f"{room.__name__.removeprefix('umwelt.')}.html").read_text()
        for name in room.__all__:
            assert f">{name}<" in text, f"{name} is missing"
    assert ">Pendulum<" in (site / "reference" / "worlds.html").read_text()
