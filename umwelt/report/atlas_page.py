"""The atlas as one HTML file that needs nothing else: wings, systems, verdicts, plots of their intervals, and a filter."""

from collections.abc import Sequence

from umwelt.atlas.systems import WINGS, Row, System, summary
from umwelt.claims.documents import COMMAND, VERDICTS, compared, counted, source_of
from umwelt.claims.results import Judged
from umwelt.report.forest import caption, plot
from umwelt.report.page import Markup, Section, page, paragraph, tag

SIGNS = {"shown": "✓", "refuted": "✗", "open": "?", "stale": "~", "not run": "·"}
"""A second sign beside the colour."""
STYLE = """
:root { --shown: #0b6b3a; --refuted: #a8281c; --open: #7a5200; }
@media (prefers-color-scheme: dark) { :root { --shown: #63d297; --refuted: #ff9a8d; --open: #f0c060; } }
body { max-width: 72rem; }
.filter { display: flex; flex-wrap: wrap; gap: .75rem 1.25rem; align-items: end; padding: .75rem 0; position: sticky; top: 0;
  background: var(--paper); border-bottom: 1px solid var(--edge); z-index: 1; }
.filter label { display: grid; gap: .15rem; font-size: .85rem; color: var(--faint); }
.filter label:first-child { flex: 1 1 14rem; }
input, select { font: inherit; padding: .4rem .5rem; color: var(--text); background: var(--paper); width: 100%;
  border: 1px solid var(--faint); border-radius: .25rem; }
.filter output { font-size: .9rem; color: var(--faint); min-width: 8rem; padding-bottom: .4rem; }
main section h2 { scroll-margin-top: 6rem; } tr { scroll-margin-top: 6rem; }
.atlas { width: 100%; font-size: .95rem; }
.atlas td, .atlas th { text-align: left; font-weight: 400; padding: .6rem .9rem .6rem 0; }
.atlas caption { position: absolute; left: -99rem; } .atlas thead th { font-size: .85rem; color: var(--faint); }
.atlas th:first-child { width: 32%; } .atlas th:nth-child(2) { width: 20%; }
.name { font-weight: 650; } .title, .small { display: block; color: var(--faint); font-size: .85rem; }
code { font-size: .85em; overflow-wrap: anywhere; }
.badge { display: inline-block; border: 1px solid; border-radius: .25rem; padding: 0 .4rem; font-size: .8rem; font-weight: 650;
  white-space: nowrap; color: var(--faint); }
.badge.shown { color: var(--shown); } .badge.refuted { color: var(--refuted); } .badge.open { color: var(--open); }
.claim + .claim { margin-top: .9rem; } .claim p { margin: .2rem 0; }
.one { display: flex; flex-wrap: wrap; align-items: center; gap: 0 .6rem; font-size: .8rem; color: var(--faint); }
.forest { width: 12.5rem; height: 1.625rem; flex: none; } .forest line { stroke: currentColor; stroke-width: 1; }
.forest .nothing { stroke: var(--faint); } .forest .wanted { stroke: var(--mark); stroke-dasharray: 3 2; stroke-width: 1.5; }
.forest .reach { stroke: var(--text); stroke-width: 2.5; } .forest circle { fill: var(--text); }
[hidden] { display: none !important; }
@media (max-width: 44rem) {
  .atlas, .atlas tbody, .atlas tr, .atlas th, .atlas td { display: block; width: auto !important; border: 0; padding: .1rem 0; }
  .atlas thead { position: absolute; left: -99rem; } .atlas tr { border-bottom: 1px solid var(--edge); padding: .6rem 0; }
  .filter { position: static; } .filter label { flex: 1 1 8rem; } .atlas td:empty { display: none; }
}
"""
SCRIPT = """
const words = document.getElementById("words"), state = document.getElementById("state");
const count = document.getElementById("count"), rows = [...document.querySelectorAll("tr[data-text]")];
function filter() {
  const wanted = words.value.toLowerCase().split(/\\s+/).filter(Boolean), status = state.value;
  for (const row of rows) {
    const fits = wanted.every(word => row.dataset.text.includes(word));
    row.hidden = !fits || (status !== "" && !row.dataset.status.split(",").includes(status));
  }
  const active = wanted.length > 0 || status !== "", shown = rows.filter(row => !row.hidden).length;
  for (const box of document.querySelectorAll("main section, main details")) {
    box.hidden = active && !box.querySelector("tr[data-text]:not([hidden])");
  }
  for (const table of document.querySelectorAll("main section > table")) {
    table.hidden = active && !table.querySelector("tr[data-text]:not([hidden])");
  }
  for (const fold of document.querySelectorAll("main details")) { fold.open = active && !fold.hidden; }
  count.textContent = active ? `${shown} of ${rows.length} rows` : `${rows.length} rows`;
}
words.addEventListener("input", filter);
state.addEventListener("change", filter);
filter();
"""


def atlas_page(found: Sequence[Row]) -> str:
    """Write the page; its links to files are relative to the folder `docs`."""
    claims = [each for row in found for each in row.claims]
    sections = [_wing(title, [row for row in found if row.system.wing == wing]) for wing, title in WINGS.items()]
    legend = [tag("span", Markup("&#8203;"), _badge(verdict), " ") for verdict in VERDICTS]
    lead = [
        paragraph(summary(found)),
        paragraph(counted(claims)),
        tag(
            "p",
            *legend,
            " A dot is the mean gain of the paper's idea over its control, a bar its 95 % interval over seeds. The thin line",
            " marks nothing gained, the dashed one what was wanted.",
        ),
        _filter(),
    ]
    foot = f"Made by {COMMAND} from umwelt/atlas/systems.tsv and umwelt/claims/results."
    return page("The atlas of Umwelt", lead, [each for each in sections if each.content], foot, style=STYLE, script=SCRIPT)


def _filter() -> Markup:
    options = [tag("option", "any", value="")]
    options += [tag("option", status, value=status) for status in (*VERDICTS, "recipe", "part", "planned")]
    return tag(
        "div",
        tag("label", "Find a system, a paper or an idea", tag("input", id="words", type="search", autocomplete="off")),
        tag("label", "Status", tag("select", *options, id="state")),
        tag("output", "", id="count", for_="words state"),
        class_="filter",
        role="search",
    )


def _wing(title: str, mine: Sequence[Row]) -> Section:
    built = [row for row in mine if row.status != ("planned",)]
    planned = [row for row in mine if row.status == ("planned",)]
    content = []
    if built:
        order = sorted(built, key=lambda row: (not row.claims, not row.recipes, row.system.name))
        content.append(_table(f"{title}: what there is", ("System", "Recipe", "Claims"), [_row(row) for row in order]))
    if planned:
        inner = _table(f"{title}: not built yet", ("Name", "Ideas", "Paper"), [_short(row) for row in planned])
        content.append(tag("details", tag("summary", f"{len(planned)} not built yet"), inner))
    return Section(title, *content)


def _table(caption: str, heads: Sequence[str], rows: Sequence[Markup]) -> Markup:
    # the roles stay where a narrow screen shows rows as blocks
    head = tag("tr", *(tag("th", name, scope="col", role="columnheader") for name in heads), role="row")
    body = (tag("thead", head, role="rowgroup"), tag("tbody", *rows, role="rowgroup"))
    return tag("table", tag("caption", caption), *body, class_="atlas", role="table")


def _row(row: Row) -> Markup:
    system = row.system
    paper = f"{system.title} ({system.year})" if system.title and system.year else system.title
    head = (tag("span", system.name, class_="name"), tag("span", paper, class_="title"), *_kind(system))
    links = [tag("span", _link(name, f"../umwelt/recipes/{name}.py"), class_="small") for name in row.recipes]
    parts = [tag("span", tag("code", name.removeprefix("umwelt.")), class_="small") for name in row.parts]
    claims = [_claim(each) for each in row.claims] or [tag("span", row.why, class_="small")]
    return tag(
        "tr",
        tag("th", *head, scope="row", role="rowheader"),
        tag("td", *links, *parts, role="cell"),
        tag("td", *claims, role="cell"),
        role="row",
        id=system.name,
        data_text=row.text,
        data_status=",".join(row.status),
    )


def _short(row: Row) -> Markup:
    system = row.system
    year = f" ({system.year})" if system.year else ""
    ideas = tag("td", tag("span", system.words, class_="small"), role="cell")
    cells = (ideas, tag("td", f"{system.title}{year}", role="cell"))
    head = tag("th", tag("span", system.name, class_="name"), *_kind(system), scope="row", role="rowheader")
    return tag("tr", head, *cells, role="row", id=system.name, data_text=row.text, data_status="planned")


def _kind(system: System) -> list[Markup]:
    """A system is what most rows are, so it is not said of them."""
    return [] if system.kind == "system" else [tag("span", system.kind, class_="small")]


def _claim(each: Judged) -> Markup:
    name = each.claim.name
    plots = [
        tag("div", plot(expect, gain, each.claim), tag("span", caption(expect, gain, each.claim)), class_="one")
        for expect, gain in compared(each)
        if gain is not None
    ]
    where = (_link(name, f"claims.md#{name}"), " · ", _link("source", source_of(name)))
    return tag("div", _badge(each.verdict), " ", *where, tag("p", each.sentence), *plots, class_="claim")


def _badge(verdict: str) -> Markup:
    return tag("span", f"{SIGNS[verdict]} {verdict}", class_=f"badge {verdict.replace(' ', '-')}")


def _link(text: str, address: str) -> Markup:
    return tag("a", text, href=address)
