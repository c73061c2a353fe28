"""What the documents say of claims, made from the stored results: tables, a page of all claims, and a recipe's card."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from umwelt.claims import catalog
from umwelt.claims.arms import Published, Recorded
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.differences import differences
from umwelt.claims.judging import LEAST, Gain, spread
from umwelt.claims.results import STORED, Judged, judged, read
from umwelt.recipes.recipe import Recipe

VERDICTS = ("shown", "refuted", "open", "stale", "not run")
MANY = 8
"""Seeds from which on a claim may stand in README."""
SURE = 0.99
"""The level of the interval that a claim of fewer seeds needs there."""
COMMAND = "python -m tools.documents"
MARKED = re.compile(r"(<!-- claims:begin (?P<name>[\w-]+) -->\n).*?(<!-- claims:end -->)", re.DOTALL)


def own() -> dict[str, tuple[Claim, str]]:
    """Return name -> (claim, file of the catalogue without its ending). Claims of other packages are left out."""
    room = f"{catalog.__name__}."
    return {name: (claim, home.removeprefix(room)) for name, (claim, home) in catalog.homes().items() if home.startswith(room)}


def stored(folder: Path = STORED) -> list[Judged]:
    """Judge every claim of the library by its stored result, by name."""
    return [judged(claim, read(name, folder)) for name, (claim, _) in own().items()]


def counted(found: Sequence[Judged]) -> str:
    """Say how many claims have which verdict, and how many of the shown ones may be luck."""
    counts = {verdict: sum(each.verdict == verdict for each in found) for verdict in VERDICTS}
    luck = 0.025 * sum(counts[verdict] for verdict in ("shown", "open", "refuted"))
    words = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    noun = "claim" if len(found) == 1 else "claims"
    return f"{len(found)} {noun}: {words or 'none'}. With intervals of 95 %, up to {luck:.1f} of the shown ones may be luck."


def stands(each: Judged) -> bool:
    """Say whether a verdict stands on enough seeds, or on an interval that is wide enough, for the first page."""
    if each.result is None or each.verdict not in ("shown", "refuted"):
        return False
    return len(each.result.seeds) >= MANY or judged(each.claim, each.result, SURE).verdict == each.verdict


def interval(gain: Gain, form: str = ".4g") -> str:
    """Write a gain with its interval."""
    if not np.isfinite([gain.low, gain.high]).all():
        return f"{gain.mean:{form}} (no interval)"
    return f"{gain.mean:{form}} [{gain.low:{form}}, {gain.high:{form}}]"


def wanted(expect: Expect, claim: Claim | None = None) -> str:
    """Write the bar of a comparison in words. claim: says whether its measure should rise; without it a ratio below 1 is
    taken for that of a measure that should fall."""
    if expect.ratio and expect.by != 1:
        rises = expect.by > 1 if claim is None else claim.measure(expect).better == "up"
        return f"a ratio of {expect.by:g} {'or more' if rises else 'or less'}"
    if expect.ratio:
        return "a better ratio than 1"
    return f"a loss of {-expect.by:g} at most" if expect.by < 0 else f"a gain of {expect.by:g}" if expect.by else "a gain"


def against(expect: Expect) -> str:
    """Write which arm is compared with what."""
    return f"{expect.arm} over {expect.over if isinstance(expect.over, str) else format(expect.over, 'g')}"


def card(recipe: Recipe, found: Sequence[Judged]) -> list[tuple[str, str]]:
    """Return the card of a recipe as (heading, words): what it is and needs, and the verdicts of its claims."""
    mine = [each for each in found if each.claim.recipe == recipe.name]
    rows = [
        ("what", recipe.summary),
        ("family", recipe.family),
        ("worlds", ", ".join(recipe.needs)),
        ("sizes", ", ".join(recipe.sizes)),
        ("takes", recipe.budget),
        ("cites", ", ".join(recipe.cites)),
        *(("claim", f"{each.claim.name}, {each.verdict}: {each.sentence}") for each in mine),
    ]
    return [row for row in rows if row[1]] + ([] if mine else [("claim", "none yet")])


def page(found: Sequence[Judged]) -> str:
    """Write the page of all claims: one row each, then one section each."""
    heads = ("claim", "verdict", "what it says", "seeds", "wanted", "minutes", "date", "version")
    rows = [
        (
            f"[{each.claim.name}](#{each.claim.name})",
            f"**{each.verdict}**",
            each.sentence,
            str(len(each.result.seeds)) if each.result else "",
            "; ".join(wanted(expect, each.claim) for expect in each.claim.expects),
            f"{each.result.minutes:g}" if each.result else f"about {each.claim.minutes:g}",
            each.result.date if each.result else "",
            each.result.versions.get("umwelt", "") if each.result else "",
        )
        for each in found
    ]
    lead = (
        f"<!-- Made by `{COMMAND}` from umwelt/claims/results. Do not edit. -->\n\n# Claims\n\n{counted(found)}\n\n"
        "`umwelt show NAME --run` repeats one. **Shown**: the interval of the gain excludes 0 and its mean passes the bar;\n"
        'where the bar is "a loss of at most", the whole interval passes it. **Refuted**: the whole interval is below the bar.\n'
        "**Open**: neither. **Stale**: the expression or the seeds have changed since. Intervals are Student's t at 95 %.\n"
    )
    return "\n".join((lead, table(heads, rows), *(_section(each) for each in found)))


def filled(text: str, tables: Mapping[str, Callable[[], str]]) -> str:
    """Replace what stands between the markers of a document by the tables of their names; an unknown name is a KeyError."""

    def made(match: re.Match[str]) -> str:
        return f"{match[1]}{tables[match['name']]()}\n{match[3]}"

    return MARKED.sub(made, text)


def standing(found: Sequence[Judged]) -> str:
    """Write the table of README: verdicts that stand on many seeds or on a sure interval."""
    chosen = sorted((each for each in found if stands(each)), key=lambda each: (each.verdict != "shown", each.claim.name))
    rows = [
        (
            f"[`{each.claim.name}`](docs/claims.md#{each.claim.name})",
            each.sentence,
            each.verdict,
            str(len(each.result.seeds)) if each.result else "",
            f"{each.result.minutes:g}" if each.result else "",
        )
        for each in chosen
    ]
    return table(("claim", "what it says", "verdict", "seeds", "minutes"), rows) if rows else "(No claim has stood so far.)\n"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table of Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |\n" for row in lines)


def compared(each: Judged) -> list[tuple[Expect, Gain | None]]:
    """Return the comparisons of a claim with their gains; None where it was not run."""
    gains = each.gains or (None,) * len(each.claim.expects)
    return list(zip(each.claim.expects, gains, strict=False))


def _section(each: Judged) -> str:
    claim, result = each.claim, each.result
    rows = [("verdict", f"**{each.verdict}**"), ("says", each.sentence)]
    for expect, gain in compared(each):
        came = f"{interval(gain)}: {gain.verdict}" if gain else "not run"
        rows.append(("comparison", f"`{expect.measure}`, {against(expect)}, wanted {wanted(expect, each.claim)}: {came}"))
    rows += [("arm", words) for words in arms(claim)]
    rows += [("tried", claim.tried), ("not shown", claim.not_shown), ("cites", ", ".join(claim.cites))]
    if result:
        where = f"{result.machine.get('cores', '?')} cores, {result.machine.get('gflops', '?')} GFLOP/s"
        versions = f"umwelt {result.versions.get('umwelt', '?')}, jax {result.versions.get('jax', '?')}"
        rows.append(("run", f"`{result.command}`, {result.date}, {result.minutes:g} minutes on {where}; {versions}"))
        rows.append(("settings", f"{result.tries} tried, on seeds {', '.join(map(str, claim.tuned))}"))
    rows.append(("source", f"[umwelt/claims/catalog/{own()[claim.name][1]}.py]({source_of(claim.name)})"))
    text = f'\n<a id="{claim.name}"></a>\n\n## {claim.name}\n\n{table(("", ""), [row for row in rows if row[1]])}'
    return text + (f"\n{_values(each)}" if result else "")


def source_of(claim: str, up: str = "..") -> str:
    """Return the path of the file that holds a claim, seen from a folder of documents."""
    return f"{up}/umwelt/claims/catalog/{own()[claim][1]}.py"


def arms(claim: Claim) -> list[str]:
    """Say of each arm what it is, or what it differs by from the first one."""
    first = next(iter(claim.arms))
    lines = []
    for name, arm in claim.arms.items():
        if isinstance(arm, Published | Recorded):
            words = arm.source if isinstance(arm, Published) else f"runs of another library, `{arm.command}`"
        elif name == first:
            words = "the idea"
        else:
            found = differences(claim.arms[first], arm)
            words = "; ".join(f"`{path}` is `{other}`, not `{mine}`" for path, mine, other in found) or "the same"
        lines.append(f"{name}: {words}")
    return lines


def _values(each: Judged) -> str:
    assert each.result is not None
    rows = []
    for arm, measures in each.result.values.items():
        for measure, numbers in measures.items():
            mean, low, high = spread(np.array(numbers))
            bounds = f"{low:.4g}, {high:.4g}" if len(numbers) >= LEAST else ""
            rows.append((arm, measure, f"{mean:.4g}", bounds, " ".join(f"{value:.4g}" for value in numbers)))
    return table(("arm", "measure", "mean", "95 %", "each seed"), rows)
