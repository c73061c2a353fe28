"""Write the documents that are made from results: docs/claims.md, docs/atlas.html, and the tables of README.md.

python -m tools.documents             write them
python -m tools.documents --check     say which ones disagree with the results; 1 where one does
"""

import sys
from pathlib import Path

from umwelt.atlas import rows, summary
from umwelt.claims.documents import counted, filled, page, standing, stored
from umwelt.report.atlas_page import atlas_page

ROOT = Path(__file__).parents[1]


def documents(root: Path = ROOT) -> dict[str, str]:
    """Return path -> text of every document, as the results have it now."""
    found = stored()
    atlas = rows(found)
    tables = {
        "standing": lambda: standing(found),
        "counts": lambda: f"{summary(atlas)} {counted(found)}\n",
    }
    return {
        "docs/claims.md": page(found),
        "docs/atlas.html": atlas_page(atlas),
        "README.md": filled((root / "README.md").read_text(encoding="utf8"), tables),
    }


def main(words: list[str], root: Path = ROOT) -> int:
    """Write what disagrees, or only name it."""
    differs = {}
    for name, text in documents(root).items():
        path = root / name
        if not path.exists() or path.read_text(encoding="utf8") != text:
            differs[name] = text
    if "--check" in words:
        print("\n".join(f"{name} disagrees with the results; run `python -m tools.documents`" for name in differs) or "all agree")
        return 1 if differs else 0
    for name, text in differs.items():
        (root / name).write_text(text, encoding="utf8")
        print(f"{name}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
