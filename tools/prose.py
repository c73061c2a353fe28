"""Lint the prose of the project: docstrings, comments and documents in plain modern English.

    python -m tools.prose [PATH ...]

It reports banned words (archaisms, persons for things, private terms where the literature has a word) and sentences
of more than LONGEST words. In texts of a program, such as messages and claims, it looks for banned words alone.
A code span or a bracket counts as one word. Notes of the past (docs/notes) are left alone.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

LONGEST = 25
"""Words of a sentence."""
BANNED = (
    r"whoever|whomever|who|whom|somebody|nobody|everybody|anew|newborn|newborns|heretofore|lately|beforehand|whilst|thereby|herein|hence"
    r"|told|tells|foretell|foretells|foretold|lived on|(?:is|are|was|were|be|been) lived|lives on|of the day|by heart"
    r"|meal|meals|the like|the more so|ere|unto|upon|nought|naught|for ever|at hand|dear"
)
WORDS = re.compile(rf"\b(?:{BANNED})\b", re.IGNORECASE)
ROOTS = ("umwelt", "tests", "benchmarks", "examples", "tools", "docs", "README.md", "CONTRIBUTING.md", "CHANGELOG.md")
SKIPPED = ("docs/notes/", "umwelt/watch/static/vendor/", "tools/prose.py")


def passages(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of every docstring, comment block or paragraph in a file."""
    text = path.read_text(encoding="utf8")
    if path.suffix == ".md":
        yield from _paragraphs(re.sub(r"```.*?```|^\|.*$|<!--.*?-->", _blank, text, flags=re.DOTALL | re.MULTILINE), 1)
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield from _paragraphs(node.value.value, node.lineno)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ")


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of every text of a program that is no docstring and has several words."""
    if path.suffix == ".md":
        return
    tree = ast.parse(path.read_text(encoding="utf8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said and " " in node.value:
            yield node.lineno, node.value


def faults(path: Path) -> Iterator[str]:
    """Yield one line for each fault of a file."""
    for line, text in texts(path):
        for found in WORDS.finditer(re.sub(r"`[^`]*`|'[^']*'|\w+=\S*", "x", text)):
            yield f"{path}:{line}: {found.group(0)!r} is not plain modern English: {text.strip()[:70]!r}"
    for line, passage in passages(path):
        plain = re.sub(r"`[^`]*`|\"[^\"]*\"|\([^()]*\)|\[[^\]]*\]\([^)]*\)", "x", passage)
        for found in WORDS.finditer(plain):
            yield f"{path}:{line}: {found.group(0)!r} is not plain modern English: {passage.strip()[:70]!r}"
        for sentence in re.split(r"[.!?;:]\s|\n\s*[-*]\s|\n\n", plain):
            if (length := len(sentence.split())) > LONGEST:
                yield f"{path}:{line}: a sentence of {length} words: {' '.join(sentence.split())[:70]!r}"


def files(roots: list[str]) -> Iterator[Path]:
    """Yield the files under the roots that the lint reads."""
    for root in map(Path, roots):
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.suffix in (".py", ".md") and not str(path).startswith(SKIPPED):
                yield path


def main(roots: list[str]) -> int:
    """Print every fault; 1 where there is one."""
    found = [fault for path in files(roots or list(ROOTS)) for fault in faults(path)]
    print("\n".join(found), end="\n" if found else "")
    print(f"{len(found)} faults of prose" if found else "the prose is plain")
    return 1 if found else 0


def _paragraphs(text: str, line: int) -> Iterator[tuple[int, str]]:
    for paragraph in re.split(r"\n\s*\n", text):
        yield line, paragraph
        line += paragraph.count("\n") + 2


def _blank(match: re.Match[str]) -> str:
    return "\n" * match.group(0).count("\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
