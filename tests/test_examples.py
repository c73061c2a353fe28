"""The examples and the README run as they stand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]
EXAMPLES = sorted((HERE / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_keeps_its_contract(path: Path, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, cwd=tmp_path, timeout=200)
    assert done.returncode == 0, done.stderr
    assert " 0 broken" in done.stdout or path.name == "my_data.py"


def test_there_is_an_example_for_each_drill() -> None:
    """A bonus, a goal teacher, learning from data and a variant, beside a world, a model and a planner."""
    parts = ("bonus", "teacher", "data", "variant", "world", "model", "planner")
    assert {f"my_{part}.py" for part in parts} == {path.name for path in EXAMPLES}


def test_the_composition_in_the_readme_lives(tmp_path: Path) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", (HERE / "README.md").read_text(), re.DOTALL)
    assert len(script.splitlines()) <= 30
    short = script.replace("steps=2400", "steps=60, lives='lives'").replace("samples=128, horizon=15", "samples=24, horizon=4")
    (tmp_path / "mine.py").write_text(short)
    done = subprocess.run([sys.executable, "mine.py"], capture_output=True, text=True, cwd=tmp_path, timeout=200)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "lives" / "mine" / "chronicle.db").exists()
