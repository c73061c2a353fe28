"""The check of the wheel finds what a wheel lacks; `make wheel` builds a real one and runs a life with it."""

import zipfile
from pathlib import Path

import pytest

from tools.wheel import faults

METADATA = "Metadata-Version: 2.4\nName: umwelt\nVersion: 1.0\nRequires-Python: >=3.11\n"
ABOUT = {
    "umwelt-1.0.dist-info/METADATA": METADATA,
    "umwelt-1.0.dist-info/entry_points.txt": "[console_scripts]\numwelt = umwelt.cli.main:main\n",
    "umwelt-1.0.dist-info/licenses/LICENSE": "free",
}
FILES = {"umwelt/__init__.py": "", "umwelt/atlas/systems.tsv": "a\tb", "umwelt/claims/results/one.json": "{}"}


def found(folder: Path, held: dict[str, str]) -> list[str]:
    """Return what is found of a wheel that holds some files, where the package has FILES."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    with zipfile.ZipFile(folder / "umwelt-1.0.whl", "w") as archive:
        for name, text in held.items():
            archive.writestr(name, text)
    return list(faults(folder / "umwelt-1.0.whl", folder))


def test_a_whole_wheel_has_no_fault(tmp_path: Path) -> None:
    assert found(tmp_path, FILES | ABOUT) == []


SAID = dict(zip(ABOUT, ("it has no METADATA", "it has no command umwelt", "it lacks the licence"), strict=True))


@pytest.mark.parametrize("name", [*FILES, *ABOUT])
def test_what_a_wheel_lacks_is_named(tmp_path: Path, name: str) -> None:
    held = {each: text for each, text in (FILES | ABOUT).items() if each != name}
    assert found(tmp_path, held) == [SAID.get(name, f"it lacks {name}")]


def test_what_an_earlier_build_left_and_another_python_are_faults(tmp_path: Path) -> None:
    older = {"umwelt-1.0.dist-info/METADATA": METADATA.replace("3.11", "3.9"), "umwelt/gone.py": "", "tests/test_it.py": ""}
    assert found(tmp_path, FILES | ABOUT | older) == [
        "it holds tests/test_it.py, which is no file of the package",
        "it holds umwelt/gone.py, which is no file of the package",
        "it asks for Python >=3.9, not for 3.11 or later",
    ]
