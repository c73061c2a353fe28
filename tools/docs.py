"""Make the documentation site in build/docs/, readable from disk without a network.

    python -m tools.docs                  gather the documents and build the site; a warning is an error
    python -m tools.docs FOLDER           build it in another folder

The documents of docs/ are copied beside pages that are made: one for each contract and each room, from the docstrings,
and one for each notebook. Sphinx reads the copies, so nothing that is made lies among what is written.
"""

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.docs_reference import reference

ROOT = Path(__file__).parents[1]
BESIDE = (
    "umwelt",
    "examples",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "benchmarks",
    "tools",
    "tests",
)
"""What the documents link to by a relative path, as it lies in the repository."""


def gather(target: Path, root: Path = ROOT) -> Path:
    """Lay out the repository's documents and the made pages in `target`; return the folder that Sphinx reads."""
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    for name in BESIDE:
        (target / name).symlink_to(root / name)
    docs = target / "docs"
    shutil.copytree(root / "docs", docs)
    for name, text in reference(root / "umwelt").items():
        path = docs / "reference" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf8")
    for path in sorted((docs / "notebooks").glob("*.ipynb")):
        notebook(path)
    return docs


def notebook(path: Path) -> None:
    """Write a notebook as a page beside it: its words, its code, and the results that it was saved with."""
    held = json.loads(path.read_text(encoding="utf8"))
    pages = [_cell(cell, path, index) for index, cell in enumerate(held["cells"])]
    link = f"[The notebook itself]({path.name}) can be run with Jupyter.\n"
    path.with_suffix(".md").write_text("\n".join([pages[0], link, *pages[1:]]), encoding="utf8")


def _cell(cell: dict[str, Any], path: Path, index: int) -> str:
    """One cell as Markdown; its pictures become files beside the page."""
    text = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return text + "\n"
    shown = [f"```python\n{text}\n```\n"]
    for number, output in enumerate(cell["outputs"]):
        data = output.get("data", {})
        if "image/png" in data:
            picture = path.with_name(f"{path.stem}-{index}-{number}.png")
            picture.write_bytes(base64.b64decode("".join(data["image/png"])))
            shown.append(f"![{''.join(data['text/plain'])}]({picture.name})\n")
        else:
            shown.append(f"```text\n{''.join(output.get('text', data.get('text/plain', ''))).rstrip()}\n```\n")
    return "\n".join(shown)


def main(words: list[str], root: Path = ROOT) -> int:
    """Build the site, and say where it is; the exit status is that of Sphinx."""
    out = Path(words[0]) if words else root / "build" / "docs"
    if out.exists():
        shutil.rmtree(out)
    docs = gather(out.with_name(out.name + "-source"), root)
    command = [sys.executable, "-m", "sphinx", "-b", "html", "--fail-on-warning", "--keep-going", "--quiet"]
    done = subprocess.run([*command, "-d", str(docs.parent / "doctrees"), str(docs), str(out)], check=False)
    print(f"open {out / 'index.html'}" if done.returncode == 0 else "the site has faults; they are named above")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
