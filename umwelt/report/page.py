"""One HTML file that needs nothing else: no network, no script but one that the page names, and every word is escaped.

Only `tag` makes markup, and it escapes every text, so the name of a task can never become an element.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape

from umwelt.report.figure import Drawing, PageTable, inline

VOID = ("meta", "br", "input")
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Allows styles and pictures inside the page; no script, and nothing from elsewhere."""
STYLE = """
:root { color-scheme: light dark;
  --paper: #ffffff; --text: #1a1a1a; --faint: #595959; --edge: #c9c9c9; --mark: #00578a; --blue: #0072b2; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171c; --text: #e8e8e8; --faint: #a8a8a8; --edge: #454b55; --mark: #7cc4f5; --blue: #3f9fe0; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; background: var(--paper); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-top: 1px solid var(--edge); padding-top: 1rem; }
a, summary { color: var(--mark); } :focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; } .skip:focus { position: static; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; padding: 0; }
figure { margin: 1.5rem 0; } figcaption { font-weight: 600; }
.wide { overflow-x: auto; } .wide svg { display: block; width: 100%; min-width: 36rem; height: auto; fill: currentColor; }
.small { display: inline-block; vertical-align: top; width: min(100%, 26rem); margin-right: 1.5rem; }
.small .wide svg { min-width: 0; }
table { border-collapse: collapse; min-width: min(100%, 24rem); font-variant-numeric: tabular-nums; font-size: .9rem; }
caption { text-align: left; color: var(--faint); padding: .25rem 0; }
th, td { border-bottom: 1px solid var(--edge); padding: .2rem .7rem .2rem 0; text-align: right; vertical-align: top; }
th:first-child, td:first-child, .words td, .words th { text-align: left; }
.meanings td:not(:last-child) { white-space: nowrap; } .meanings td:last-child { min-width: 18rem; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--edge); font-size: .85rem; }
summary { cursor: pointer; padding: .25rem 0; } .note { border-left: .3rem solid var(--mark); padding-left: .75rem; }
footer { margin-top: 3rem; color: var(--faint); font-size: .9rem; }
@media print { details::details-content { content-visibility: visible; } }
"""


class Markup(str):
    """Text that is HTML."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: str) -> Markup:
    """Make an element. It escapes plain text and keeps Markup as it is; an attribute's name may end with `_`."""
    written = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    if name in VOID:
        return Markup(f"<{name}{written}>")
    inner = "".join(child if isinstance(child, Markup) else escape(child) for child in children)
    return Markup(f"<{name}{written}>{inner}</{name}>")


def joined(children: Iterable[Markup]) -> Markup:
    """Join elements, one after the other."""
    return Markup("\n".join(children))


class Section:
    """A part of the page under a heading, with inner parts."""

    def __init__(self, title: str, *content: Markup, inner: Sequence["Section"] = ()) -> None:
        self.title, self.content, self.inner = title, content, tuple(inner)

    def markup(self, name: str, level: int = 2) -> Markup:
        """Render it with headings of the right level."""
        inner = [section.markup(f"{name}-{index}", level + 1) for index, section in enumerate(self.inner, 1)]
        heading = tag(f"h{level}", self.title, id=name)
        return tag("section", heading, *self.content, *inner, aria_labelledby=name)


def page(title: str, lead: Sequence[Markup], sections: Sequence[Section], foot: str, *, style: str = "", script: str = "") -> str:
    """Render the whole file. style: follows that of every page. script: runs at the end; the policy allows no other."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"{POLICY}; script-src 'sha256-{digest}'" if script else POLICY
    names = [f"part-{index}" for index in range(1, len(sections) + 1)]
    links = [tag("li", tag("a", section.title, href=f"#{name}")) for name, section in zip(names, sections, strict=True)]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Markup(STYLE + style)),
    )
    body = tag(
        "body",
        tag("a", "To the content", href="#content", class_="skip"),
        tag("header", tag("h1", title), *lead),
        tag("nav", tag("ul", *links), aria_label="Contents"),
        tag("main", *(section.markup(name) for name, section in zip(names, sections, strict=True)), id="content"),
        tag("footer", tag("p", foot)),
        *([tag("script", Markup(script))] if script else []),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def paragraph(text: str, note: bool = False) -> Markup:
    """Make one paragraph; a note stands out."""
    return tag("p", text, class_="note") if note else tag("p", text)


def figure(drawing: Drawing) -> Markup:
    """Show a drawing with its title, and its numbers in a folded table below."""
    # the keyboard must reach a region that scrolls
    picture = tag("div", Markup(inline(drawing)), class_="wide", tabindex="0", role="group", aria_label=drawing.title)
    kind = {"class_": "small"} if drawing.small else {}
    return tag("figure", tag("figcaption", drawing.title), picture, folded("The numbers", table(drawing.table)), **kind)


def table(shown: PageTable, words: bool = False, meanings: bool = False) -> Markup:
    """Make a table that scrolls sideways where it is too wide.

    words: its cells are texts, not numbers. meanings: its last column holds sentences about the numbers.
    """
    head = tag("tr", *(tag("th", name, scope="col") for name in shown.heads))
    rows = [tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])) for row in shown.rows]
    kind = {"class_": "words meanings" if meanings else "words"} if words or meanings else {}
    whole = tag("table", tag("caption", shown.caption), tag("thead", head), tag("tbody", *rows), **kind)
    return tag("div", whole, class_="wide", tabindex="0", role="group", aria_label=shown.caption)


def folded(summary: str, *content: Markup) -> Markup:
    """Fold content under a summary."""
    return tag("details", tag("summary", summary), *content)


def code(text: str) -> Markup:
    """Show a command or an expression."""
    return tag("pre", tag("code", text), tabindex="0")
