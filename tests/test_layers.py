"""The house's rule: core <- networks <- roles <- life <- recipes <- claims <- atlas <- cli; roles meet only in a recipe."""

import ast
from collections import Counter
from functools import cache
from pathlib import Path

from deep import DEEP

from umwelt.cli.main import VERBS

HOUSE = Path(__file__).parents[1] / "umwelt"
ROLES = ("worlds", "memory", "models", "planners", "behaviours", "curiosity", "teachers", "retention", "evaluation")
ALLOWED = {
    "core": set(),
    "networks": {"core"},
    **{role: {"core", "networks"} for role in ROLES},
    "check": {"core"},
    "life": {"core", *ROLES},
    "recipes": {"core", "networks", "life", *ROLES},
    "claims": {"core", "networks", "life", "recipes", *ROLES},
    "atlas": {"core", "recipes", "claims"},
    "report": {"core", "life", "claims", "atlas", "evaluation"},
    "export": {"core", "life", "memory", "worlds"},
    "watch": {"core", "life"},
    "policy": {"core", "networks", "life", "export", "watch", "worlds", "evaluation"},
    "gymnasium": {"core", "networks", "life", "worlds", "evaluation"},
    "cli": {"core", "check", "recipes", "life", "claims", "atlas", "report", "export", "watch", "policy", *ROLES},
}
FILES = sorted(HOUSE.rglob("*.py"))
INSIDE = [path for path in FILES if path.parent != HOUSE]


@cache
def imports(path: Path) -> list[ast.Import | ast.ImportFrom]:
    """The imports of a file, which is parsed once for all tests."""
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]


def rooms_imported(path: Path) -> set[str]:
    """The rooms that a file imports."""
    found = set()
    for node in imports(path):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "umwelt":
            inner = node.module.split(".")[1:]
            found |= {inner[0]} if inner else {alias.name for alias in node.names}
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("umwelt.")}
    return found


def test_a_file_imports_only_from_the_floors_below() -> None:
    broken = []
    for path in INSIDE:
        room = path.relative_to(HOUSE).parts[0]
        if beyond := rooms_imported(path) - ALLOWED[room] - {room, "__version__"}:
            broken.append(f"{path.relative_to(HOUSE)} imports {sorted(beyond)}")
    assert not broken, "\n".join(broken)


def test_every_room_is_on_the_plan() -> None:
    rooms = {path.relative_to(HOUSE).parts[0] for path in INSIDE}
    assert rooms <= set(ALLOWED)


def test_a_file_has_a_name_of_its_own() -> None:
    # a claim's file is called as its recipe is, and a verb's as the verb is
    verbs = {HOUSE / "cli" / f"{verb}.py" for verb in VERBS}
    names = Counter(path.name for path in INSIDE if path.parent.parent != HOUSE / "claims" and path not in verbs)
    assert not [name for name, count in names.items() if count > 1 and name != "__init__.py"]


def test_files_and_the_ground_floor_stay_small() -> None:
    lines = {path: len(path.read_text().splitlines()) for path in FILES}
    assert sum(count for path, count in lines.items() if path.parent.name == "core") < 1000
    assert not {str(path): count for path, count in lines.items() if count > 350}


def test_no_torch_in_the_package() -> None:
    assert not [path for path in FILES if "torch" in {name.split(".")[0] for name in _modules(path)}]


def _modules(path: Path) -> set[str]:
    plain = {alias.name for node in imports(path) if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module for node in imports(path) if isinstance(node, ast.ImportFrom) and node.module}


def test_tests_that_wait_exist() -> None:
    for name in (name for names in DEEP.values() for name in names):
        file, _, function = name.partition("::")
        text = (Path(__file__).parent / file).read_text()
        assert f"def {function.partition('[')[0]}" in text, name
