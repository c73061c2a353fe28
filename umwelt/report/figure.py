"""A figure of a report: a drawing as SVG and PNG, what it shows in words, and its numbers in a table."""

import io
import warnings
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from umwelt.core import part
from umwelt.report.picture import COLOURS

DOTS = 110
"""Dots per inch of the PNG."""
WIDE = 7.4
"""Inches of a figure's width."""
SMALL = 3.6
"""Inches of the width of a small figure, whose letters can be read on a phone."""
INK = "#000000"
"""The page replaces this colour by that of its text, light or dark."""
BLUE = COLOURS[0].lower()
"""The page replaces this colour by a lighter one where it is dark."""
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)))
"""A second sign beside the colour."""
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be searched, read aloud and enlarged
    "svg.hashsalt": "umwelt",  # the same life gives the same bytes
    "text.parse_math": False,  # a task may be called $x$
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.useoffset": False,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "axes.unicode_minus": False,
}
SEAMLESS = {"edgecolors": "face", "linewidth": 0.3}
"""For the cells of a map: without it the page shows between them."""
NAMESPACES = ("{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}")


@part
class PageTable:
    """Texts in rows. heads: of the columns; the first column names the row."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@part
class Drawing:
    """One figure. name: of its files. alternative: what it shows, in words, with numbers. small: two fit side by side."""

    name: str
    title: str
    alternative: str
    table: PageTable
    svg: bytes
    png: bytes
    small: bool = False


@contextmanager
def sheet(height: float, rows: int = 1, columns: int = 1, wide: float = WIDE, **form: Any) -> Iterator[tuple[Figure, Any]]:
    """Yield a figure and its axes [rows, columns], in the report's style."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(wide, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure, figure.subplots(rows, columns, squeeze=False, **form)


def finish(figure: Figure, name: str, title: str, alternative: str, table: PageTable, small: bool = False) -> Drawing:
    """Render the figure in both forms. Call it inside of `sheet`."""
    svg, png = io.BytesIO(), io.BytesIO()
    with warnings.catch_warnings():
        # the PNG has no glyphs for some scripts; the SVG leaves them to the reader's fonts, and the table has them too
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        # laid out once for both files
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
        figure.savefig(png, format="png", dpi=DOTS, metadata={"Title": title})
    made = {"svg": svg.getvalue(), "png": png.getvalue()}
    return Drawing(name=name, title=title, alternative=alternative, table=table, small=small, **made)


def inline(drawing: Drawing) -> str:
    """Turn the SVG into a part of a page: without name spaces, each id unique, transparent, its ink as the page's text."""
    root = ElementTree.fromstring(drawing.svg)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.endswith("metadata"):
                parent.remove(child)
    for element in root.iter():
        for space in NAMESPACES:
            element.tag = element.tag.removeprefix(space)
            element.attrib = {name.removeprefix(space): value for name, value in element.attrib.items()}
    _drop_paper(root)
    text = ElementTree.tostring(root, encoding="unicode")
    used = {name for name in _ids(root) if f'"#{name}"' in text or f"url(#{name})" in text}
    for element in root.iter():
        if element.get("id") in used:
            element.set("id", f"{drawing.name}-{element.get('id')}")
        else:
            element.attrib.pop("id", None)
    for name in ("width", "height"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-label", drawing.alternative)
    text = ElementTree.tostring(root, encoding="unicode", short_empty_elements=False)
    for name in used:
        text = text.replace(f'"#{name}"', f'"#{drawing.name}-{name}"').replace(f"url(#{name})", f"url(#{drawing.name}-{name})")
    return text.replace(INK, "currentColor").replace(BLUE, "var(--blue)")


def _ids(root: ElementTree.Element) -> list[str]:
    return [element.attrib["id"] for element in root.iter() if "id" in element.attrib]


def _drop_paper(root: ElementTree.Element) -> None:
    """Remove the white rectangles behind a figure and its axes, each the first patch of its group."""
    for group in root.iter("g"):
        if group.get("id", "").startswith(("figure_", "axes_")):
            for child in list(group):
                if child.get("id", "").startswith("patch_"):
                    group.remove(child)
                    break


def label_of(name: Any, longest: int = 24) -> str:
    """Turn a name from a life into a label: one line, not too long, and never one that Matplotlib hides."""
    plain = " ".join(str(name).split()) or "(no name)"
    plain = plain if len(plain) <= longest else plain[: longest - 1] + "\u2026"
    return f"\u200a{plain}" if plain.startswith("_") else plain


def number(value: Any, form: str = ".4g") -> str:
    """Format a number for a table; a dash where there is none."""
    if value is None or value != value:
        return "-"
    return f"{value:,.0f}" if 1_000 <= abs(value) < 1e9 else f"{value:{form}}"


def counted(count: int, what: str) -> str:
    """`1 seed`, `2 seeds`."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def estimate(value: dict[str, Any], form: str = ".4g") -> str:
    """Format mean, low and high; equal ones have no interval."""
    if value["low"] == value["high"]:
        return f"{number(value['mean'], form)} (no interval)"
    return interval(value["mean"], value["low"], value["high"], form)


def interval(mean: Any, low: Any, high: Any, form: str = ".4g") -> str:
    """Format a mean with its interval."""
    known = low is not None and low == low
    return f"{number(mean, form)} [{number(low, form)}, {number(high, form)}]" if known else number(mean, form)


def band(meaning: str, alpha: float = 0.3) -> Patch:
    """Make the sign of a legend that says what the regions around lines, or behind them, are."""
    return Patch(facecolor="#808080", alpha=alpha, linewidth=0, label=meaning)


def lines(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """name -> colour and line style, so that each name differs in one of them."""
    palette = COLOURS[:-1]
    return {
        name: {"color": palette[index % len(palette)], "linestyle": LINES[index // len(palette) % len(LINES)]}
        for index, name in enumerate(names)
    }
