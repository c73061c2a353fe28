"""A life's folder: made whole or not at all, held by one process, refused in a sentence that says what to do."""

import json
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from umwelt.life.folder import folder as folders
from umwelt.life.folder.folder import Folder

RECIPE = {"expression": "pets(world=pendulum())", "versions": {"umwelt": "0.1.0"}, "command": ["umwelt", "live", "pendulum"]}

HOLDER = """
import sys, time
from umwelt.life.folder.folder import Folder

held = Folder.open(sys.argv[1], lives="/nowhere")
print("held", flush=True)
time.sleep(60)
"""

PARENT = """
import os, signal, sys, time, warnings
from umwelt.life.folder.folder import Folder

held = Folder.open(sys.argv[1], lives="/nowhere")
warnings.simplefilter("ignore")
if os.fork() == 0:
    print(os.getpid(), flush=True)
time.sleep(60)
"""


def start(code, path):
    return subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)


def contents(path):
    """Everything below a path: names, and the bytes of files."""
    return {str(inner): inner.read_bytes() if inner.is_file() else None for inner in sorted(path.rglob("*"))}


@pytest.fixture
def life(tmp_path):
    """The path of a life that no process holds."""
    with Folder.create("first", RECIPE, lives=tmp_path) as folder:
        return folder.path


def test_a_life_is_made_and_found_again_by_name_and_by_path(tmp_path):
    with Folder.create("first", RECIPE, lives=tmp_path) as made:
        assert made.held
        assert made.path == tmp_path / "first"
        assert made.name == "first"
        assert sorted(path.name for path in made.path.iterdir()) == ["checkpoints", "episodes", "lock", "recipe.json"]
        assert (made.path / "lock").read_text().strip().isdigit()
    for name, lives in (("first", tmp_path), (tmp_path / "first", "elsewhere"), (str(tmp_path / "first"), tmp_path)):
        with Folder.open(name, lives) as found:
            assert found.description == RECIPE
            assert found.chronicle == tmp_path / "first" / "chronicle.db"
    assert not found.held
    assert [path.name for path in tmp_path.iterdir()] == ["first"]


def test_a_name_is_made_up_where_none_is_given(tmp_path):
    (tmp_path / "pendulum-pets-2").mkdir(parents=True)
    made = [Folder.create(None, RECIPE, lives=tmp_path, stem="Pendulum PETS!") for _ in range(3)]
    assert [folder.name for folder in made] == ["pendulum-pets-1", "pendulum-pets-3", "pendulum-pets-4"]
    for folder in made:
        folder.close()


def test_lives_that_begin_at_the_same_moment_get_different_names(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: Folder.create(None, RECIPE, lives=tmp_path), range(24)))
    assert sorted(int(folder.name.removeprefix("life-")) for folder in made) == list(range(1, 25))
    for folder in made:
        folder.close()


def test_the_description_is_replaced_in_one_step_and_only_by_the_holder(life):
    with Folder.open(life) as held:
        held.describe({**RECIPE, "end": 500})
    with Folder.read(life) as found:
        assert found.description["end"] == 500
        with pytest.raises(folders.InUse, match=r"Folder\.open"):
            found.describe(RECIPE)
    assert not list(life.glob(".*"))


def test_create_refuses_what_is_there_and_writes_nothing(tmp_path, life):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "todo.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    before = contents(tmp_path)
    refusals = [
        ("first", folders.Exists, r"first is a life already; go on with it by `umwelt resume .*/first`"),
        ("notes", folders.Exists, r"notes exists and is not the folder of a life; choose another name"),
        ("file", folders.Exists, r"file exists and is not the folder of a life"),
        ("../out", folders.BadName, r"'\.\./out' cannot be the name of a life"),
        (".hidden", folders.BadName, r"use letters, digits"),
        ("", folders.BadName, r"cannot be the name"),
    ]
    for name, kind, said in refusals:
        with pytest.raises(kind, match=said):
            Folder.create(name, RECIPE, lives=tmp_path)
    assert contents(tmp_path) == before
    (tmp_path / "empty").mkdir()
    with Folder.create("empty", RECIPE, lives=tmp_path) as made:
        assert made.path == tmp_path / "empty"


def test_each_reason_not_to_open_has_its_own_kind_and_sentence_and_leaves_the_folder_alone(tmp_path, life):
    def other(name, text):
        path = tmp_path / name
        path.mkdir()
        if text is not None:
            (path / "recipe.json").write_text(text)
        return name

    whole = (life / "recipe.json").read_text()
    refusals = [
        ("zz", folders.Missing, r"there is no life at .*zz; begin one with `umwelt live`"),
        ("frist", folders.Missing, "did you mean first"),
        (other("bare", None), folders.Foreign, "bare is not the folder of a life"),
        (other("list", "[1, 2]"), folders.Foreign, "was not written by Umwelt"),
        (other("cake", '{"flour": 500}'), folders.Foreign, "was not written by Umwelt"),
        (other("newer", whole.replace('"format": 1', '"format": 2')), folders.Newer, "newer Umwelt .*format 2"),
        (other("torn", whole[:-20]), folders.Damaged, "recipe.json is damaged"),
        (other("blank", ""), folders.Damaged, "recipe.json is damaged"),
        (other("half", '{"umwelt": "life", "format": 1}'), folders.Damaged, "no description"),
    ]
    (tmp_path / "torn" / "recipe.json").write_bytes(b"\xff\xfe" + whole.encode())
    before = contents(tmp_path)
    for name, kind, said in refusals:
        for opener in (Folder.open, Folder.read):
            with pytest.raises(kind, match=said) as refusal:
                opener(name, tmp_path)
            assert str(tmp_path / name) in str(refusal.value)
            assert "\n" not in str(refusal.value)
    assert contents(tmp_path) == before
    assert len({kind for _, kind, _ in refusals}) == 4


def test_a_life_that_is_lived_elsewhere_can_be_read_but_not_held_until_its_holder_is_killed(life):
    with start(HOLDER, life) as holder:
        assert holder.stdout.readline() == "held\n"
        before = contents(life)
        with pytest.raises(folders.InUse, match=rf"{re.escape(str(life))} is in use by another process \(pid {holder.pid}\)"):
            Folder.open(life)
        with Folder.read(life) as reader:
            assert reader.description == RECIPE
        assert contents(life) == before
        holder.send_signal(signal.SIGKILL)
    with Folder.open(life) as held, pytest.raises(folders.InUse):
        Folder.open(held.path)
    Folder.open(life).close()


def test_a_forked_worker_does_not_hold_the_life_of_its_killed_parent(life):
    with start(PARENT, life) as parent:
        worker = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    try:
        Folder.open(life).close()
    finally:
        os.kill(worker, signal.SIGKILL)


def test_without_room_no_half_made_life_is_left(tmp_path):
    code = (
        "import resource, sys; from umwelt.life.folder.folder import Folder; from umwelt.life.saves.disk import DiskFull\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "try: Folder.create('first', {'command': 'a' * 100}, lives=sys.argv[1])\n"
        "except DiskFull as full: print(full)"
    )
    said = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert said.stdout.startswith(f"no room left to write {tmp_path}"), said.stderr
    assert contents(tmp_path) == {}


def test_the_recipe_is_text_that_people_can_read(life):
    found = json.loads((life / "recipe.json").read_text())
    assert found == {"umwelt": "life", "format": 1, "description": RECIPE}
