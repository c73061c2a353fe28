"""Pages of reference, made from the source: one for each contract, and one for each room with what it exports.

Nothing is imported. The source is parsed, so the pages need neither JAX nor the packages of the extras.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

ROOMS = (
    "core", "worlds", "memory", "models", "planners", "behaviours", "curiosity", "teachers", "retention", "recipes", "check",
    "gymnasium",
)  # fmt: skip
"""Packages whose `__init__` says what they export."""
FUNCTIONS = {
    "life": "life/api.py",
    "from_python": "from_python.py",
    "policy": "policy/policy.py",
    "lifetime": "evaluation/lifetime.py",
    "statistics": "evaluation/statistics.py",
}
"""Modules of functions, each a page."""
Definition = ast.ClassDef | ast.FunctionDef


def reference(package: Path) -> dict[str, str]:
    """Return path -> text of every page of reference, from the folder of the package `umwelt`."""
    contracts = {f"contracts/{name.lower()}.md": text for name, text in _contracts(package).items()}
    rooms = {f"{room}.md": _room(package, room) for room in ROOMS}
    modules = {f"{name}.md": _module(package, name, path) for name, path in FUNCTIONS.items()}
    pages = {**contracts, **rooms, **modules}
    return {
        **pages,
        "index.md": "# Reference\n\nMade from the docstrings of the source.\n\n" + _toctree([*rooms, *modules]),
        "contracts/index.md": CONTRACTS + _toctree(Path(name).name for name in contracts),
    }


CONTRACTS = """# One page for each contract

A part keeps a contract by having its methods; it inherits from nothing. [The contracts](../../contracts.md) says why they
are as they are.

"""


def markdown(docstring: str | None) -> str:
    """Write a docstring as Markdown: `name: meaning` and `method(...) -> result` begin items, and examples become code."""
    made: list[str] = []
    code = listing = False
    lines = inspect.cleandoc(docstring or "").splitlines()
    for index, line in enumerate(lines):
        if line.startswith(">>> ") and not code:
            made += ["", "```pycon"]
            code = True
        if code and not line.strip() and not "".join(lines[index + 1 : index + 2]).startswith(">>> "):
            made.append("```")  # examples that follow each other stay one block
            code = False
        if code:
            made.append(line)
            continue
        name, rest = item(line)
        made += ([""] if name and not listing else []) + [f"- `{name}`{escaped(rest)}" if name else escaped(line)]
        listing = bool(name) or (listing and bool(line.strip()))
    return "\n".join(made + ["```"] * code) + "\n"


def item(line: str) -> tuple[str, str]:
    """Split a line that begins with `name: ` or `method(...) -> result, ` behind the name; an empty name is in no other."""
    if found := re.match(r"[a-z_]+(?:, [a-z_]+)*(?=: )", line):
        return found.group(), line[found.end() :]
    if not re.match(r"[a-z_]+\(", line):
        return "", line
    depth = 0
    for place, letter in enumerate(line):
        depth += (letter in "([") - (letter in ")]")
        if depth == 0 and letter in ",;:." and line[place + 1 : place + 2] in ("", " "):
            return line[:place], line[place:]
    return "", line


def escaped(line: str) -> str:
    """The line with `<` as a letter, where it is in no code."""
    return line if line.startswith("    ") else re.sub(r"(`[^`]*`)|<", lambda found: found.group(1) or "&lt;", line)


def _toctree(names: "Iterator[str] | list[str]") -> str:
    return "```{toctree}\n:maxdepth: 1\n\n" + "".join(f"{Path(name).stem}\n" for name in names) + "```\n"


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf8"))


def _contracts(package: Path) -> dict[str, str]:
    """The name and the page of each contract, with its checker."""
    checkers = {name for _, name in _exports(package, "check")}
    pages = {}
    for node in _parse(package / "core" / "contracts.py").body:
        if not isinstance(node, ast.ClassDef) or not any("Protocol" in ast.unparse(base) for base in node.bases):
            continue
        checked = f"`umwelt.check.{node.name.lower()}(part)` tests it.\n\n" if node.name.lower() in checkers else ""
        pages[node.name] = f"# {node.name}\n\n{checked}{_class(node)}"
    return pages


def _room(package: Path, room: str) -> str:
    """The page of a room: what its `__init__` says, and each name that it exports."""
    tree = _parse(package / room / "__init__.py")
    text = f"# umwelt.{room}\n\n{markdown(ast.get_docstring(tree))}"
    nodes = [(name, _find(package, module, name)) for module, name in _exports(package, room)]
    return text + "".join(f"\n## {name}\n\n{_definition(node)}" for name, node in nodes if node is not None)


def _module(package: Path, name: str, path: str) -> str:
    """The page of a module: its public functions and classes."""
    tree = _parse(package / path)
    nodes = [node for node in tree.body if isinstance(node, Definition) and not node.name.startswith("_")]
    title = f"umwelt.{path.removesuffix('.py').replace('/', '.')}"
    return f"# {title}\n\n{markdown(ast.get_docstring(tree))}" + "".join(
        f"\n## {node.name}\n\n{_definition(node)}" for node in nodes
    )


def _exports(package: Path, room: str) -> list[tuple[str, str]]:
    """(module, name) of what a room imports from its own modules, and of what it defines itself."""
    found = []
    for node in _parse(package / room / "__init__.py").body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"umwelt.{room}."):
            found += [(node.module, alias.asname or alias.name) for alias in node.names]
        elif isinstance(node, Definition) and not node.name.startswith("_"):
            found.append((f"umwelt.{room}", node.name))
    return found


def _find(package: Path, module: str, name: str) -> Definition | None:
    """The class or function of a module by its name, or None for a constant."""
    path = package.parent.joinpath(*module.split("."))
    tree = _parse(path / "__init__.py" if path.is_dir() else path.with_suffix(".py"))
    return next((node for node in tree.body if isinstance(node, Definition) and node.name == name), None)


def _definition(node: Definition) -> str:
    return _class(node) if isinstance(node, ast.ClassDef) else _function(node)


def _class(node: ast.ClassDef) -> str:
    """A class: its docstring, a table of its fields, and its public methods."""
    methods = [each for each in node.body if isinstance(each, ast.FunctionDef) and not each.name.startswith("_")]
    return f"{markdown(ast.get_docstring(node))}\n{_fields(node)}" + "".join(map(_function, methods))


def _fields(node: ast.ClassDef) -> str:
    """A table of the fields with their defaults; empty where there are none."""
    rows = []
    for field, after in zip(node.body, [*node.body[1:], None], strict=True):
        if not isinstance(field, ast.AnnAssign):
            continue
        said = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str)
        meaning = " ".join(str(after.value.value).split()) if said else ""  # pyright: ignore[reportOptionalMemberAccess]
        default = f"`{ast.unparse(field.value)}`" if field.value is not None else ""
        cells = (f"`{ast.unparse(field.target)}`", f"`{ast.unparse(field.annotation)}`", default, meaning.replace("<", "&lt;"))
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n")
    return "| field | type | default | meaning |\n|---|---|---|---|\n" + "".join(rows) + "\n" if rows else ""


def _function(node: ast.FunctionDef) -> str:
    """A function or a method: its signature and its docstring."""
    decorators = {ast.unparse(each) for each in node.decorator_list}
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    signature = f"{node.name}: {ast.unparse(node.returns)}" if "property" in decorators and node.returns else (
        f"{node.name}({ast.unparse(node.args).removeprefix('self').removeprefix(', ')}){result}"
    )  # fmt: skip
    return f"```python\n{signature}\n```\n\n{markdown(ast.get_docstring(node))}\n"
