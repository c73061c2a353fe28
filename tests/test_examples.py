"""The examples and the README run as they stand."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parents[1]
EXAMPLES = sorted((HERE / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_keeps_its_contract(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a script, but in this process. A module of its own holds the parts, so that their code is found."""
    begin = 'if __name__ == "__main__":'
    text, module = path.read_text(), ModuleType(path.stem)
    assert text.count(begin) == 1
    module.__file__ = str(path)
    monkeypatch.setitem(sys.modules, path.stem, module)
    monkeypatch.setattr(sys, "argv", [str(path)])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        exec(compile(text.replace(begin, "if True:"), str(path), "exec"), vars(module))
    said = capsys.readouterr().out
    assert ended.value.code == 0, said
    assert " 0 broken" in said or path.name == "my_data.py"


def test_there_is_an_example_for_each_drill() -> None:
    """A bonus, a goal teacher, learning from data and a variant, beside a world, a model and a planner."""
    parts = ("bonus", "teacher", "data", "variant", "world", "model", "planner")
    assert {f"my_{part}.py" for part in parts} == {path.name for path in EXAMPLES}


def test_the_composition_in_the_readme_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", (HERE / "README.md").read_text(), re.DOTALL)
    assert len(script.splitlines()) <= 30
    short = script.replace("steps=2400", "steps=60, lives='lives'").replace("samples=128, horizon=15", "samples=24, horizon=4")
    short = short.replace("Pendulum()", "Pendulum(time_limit=20)")
    monkeypatch.chdir(tmp_path)
    exec(compile(short, "mine.py", "exec"), {"__name__": "__main__"})
    assert (tmp_path / "lives" / "mine" / "chronicle.db").exists()
