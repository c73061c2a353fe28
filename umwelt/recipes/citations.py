"""Which works a recipe and its parts follow, and their BibTeX.

A part says so itself, by a class attribute `cites` with keys of its bibliography (no annotation, so it is no field):

    @part
    class Mine:
        cites = ("me2027mine",)

The parts of the library stand in the table below. The entries are in references.bib beside this file, which the package
ships; `docs/references.bib` links to it.
"""

import dataclasses
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from umwelt.life.folder.expression import current
from umwelt.recipes.recipe import Recipe

PARTS: dict[str, tuple[str, ...]] = {
    "umwelt.behaviours:ActorCritic": ("hafner2023dreamerv3",),
    "umwelt.behaviours:Bootstrapped": ("wang2025bmpc",),
    "umwelt.behaviours:DQN": ("vanhasselt2016double",),
    "umwelt.behaviours:Dyna": ("sutton1991dyna",),
    "umwelt.behaviours:SAC": ("haarnoja2018sac", "christodoulou2019discrete"),
    "umwelt.memory:Halves": ("yang2024wmar",),
    "umwelt.memory:Quota": ("chrysakis2020imbalanced",),
    "umwelt.memory:Reservoir": ("vitter1985reservoir",),
    "umwelt.memory:Surprising": ("efraimidis2006weighted",),
    "umwelt.models:Doubted": ("sekar2020plan2explore",),
    "umwelt.models:Ensemble": ("chua2018pets", "janner2019mbpo", "seitzer2022beta"),
    "umwelt.models:Implicit": ("hansen2024tdmpc2",),
    "umwelt.models:Losse": ("liu2024losse", "liu2025online"),
    "umwelt.models:Recalling": ("lee2020cadm",),
    "umwelt.models:Rssm": ("hafner2023dreamerv3",),
    "umwelt.planners:CEM": ("rubinstein1999cem",),
    "umwelt.planners:ICEM": ("pinneri2020icem",),
    "umwelt.planners:MPPI": ("williams2017mppi",),
    "umwelt.retention:Elastic": ("kirkpatrick2017ewc", "schwarz2018progress"),
    "umwelt.retention:Experts": ("doya2002multiple",),
    "umwelt.retention:Hypernetwork": ("vonoswald2020hypernetworks", "huang2021hypercrl"),
    "umwelt.retention:LowRank": ("hu2022lora", "lialin2024relora"),
    "umwelt.retention:PageHinkley": ("page1954inspection",),
    "umwelt.retention:Prune": ("xu2020mixture",),
    "umwelt.retention:Refresh": ("wang2024refresh",),
    "umwelt.retention:Renewal": ("dohare2024plasticity", "sokar2023dormant", "liu2025gradients"),
    "umwelt.retention:Synaptic": ("zenke2017si",),
    "umwelt.retention:Zoo": ("ramesh2022zoo",),
}
"""`umwelt.ROOM:Part` -> keys of references.bib."""


@cache
def entries() -> dict[str, str]:
    """Return key -> BibTeX of every entry of references.bib."""
    text = (files("umwelt.recipes") / "references.bib").read_text(encoding="utf8")
    return {found[2]: found[0] for found in re.finditer(r"^@(\w+)\{([^,\s]+),.*?^\}", text, re.MULTILINE | re.DOTALL)}


def keys_of(value: Any) -> tuple[str, ...]:
    """Return the keys that a part and the parts inside it cite, each once; of a recipe its own first."""
    if isinstance(value, Recipe):
        return tuple(dict.fromkeys((*value.cites, *keys_of(value.example))))
    return tuple(dict.fromkeys(key for inside in _parts(value) for key in _own(type(inside))))


def bibtex(keys: tuple[str, ...]) -> str:
    """Return the entries of `keys`, in order; a key without an entry becomes a comment that names it."""
    known = entries()
    return "\n\n".join(known.get(key, f"% {key}: references.bib has no such entry") for key in keys)


def _own(kind: type) -> tuple[str, ...]:
    stated: Any = vars(kind).get("cites")
    return stated if isinstance(stated, tuple) else PARTS.get(current(f"{kind.__module__}:{kind.__qualname__}"), ())


def _parts(value: Any) -> Iterator[Any]:
    """Yield every part inside a value, the outer ones first."""
    if isinstance(value, tuple):
        for item in value:
            yield from _parts(item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield value
        for field in dataclasses.fields(value):
            yield from _parts(getattr(value, field.name))
