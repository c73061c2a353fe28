"""The house's rule: core <- role packages <- recipes <- life <- cli and report; role packages never meet but in a recipe."""

import ast
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1] / "umwelt"
ROLES = ("worlds", "memory", "models", "planners", "behaviours", "curiosity", "teachers", "retention", "evaluation")
ALLOWED = {
    "core": set(),
    "networks": {"core"},
    **{role: {"core", "networks"} for role in ROLES},
    "check": {"core"},
    "recipes": {"core", *ROLES},
    "life": {"core", "recipes", *ROLES},
    "report": {"core", "life"},
    "export": {"core", "life", "memory", "worlds"},
    "watch": {"core", "life"},
    "cli": {"core", "check", "recipes", "life", "report", "export", "watch", *ROLES},
}
FILES = sorted(HOUSE.rglob("*.py"))
INSIDE = [path for path in FILES if path.parent != HOUSE]


def rooms_imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "umwelt":
            inner = node.module.split(".")[1:]
            found |= {inner[0]} if inner else {alias.name for alias in node.names}
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("umwelt.")}
    return found


@pytest.mark.parametrize("path", INSIDE, ids=lambda path: str(path.relative_to(HOUSE)))
def test_a_file_imports_only_from_the_floors_below(path: Path) -> None:
    room = path.relative_to(HOUSE).parts[0]
    beyond = rooms_imported(path) - ALLOWED[room] - {room, "__version__"}
    assert not beyond, f"{path.name} in {room} imports {sorted(beyond)}"


def test_every_room_is_on_the_plan() -> None:
    rooms = {path.relative_to(HOUSE).parts[0] for path in INSIDE}
    assert rooms <= set(ALLOWED)


def test_the_ground_floor_stays_small() -> None:
    lines = sum(len(path.read_text().splitlines()) for path in (HOUSE / "core").glob("*.py"))
    assert lines < 1000


def test_no_torch_in_the_package() -> None:
    assert not [path for path in FILES if "torch" in {name.split(".")[0] for name in _modules(path)}]


def _modules(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
