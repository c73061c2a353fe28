"""Which works a recipe and its parts follow, and their BibTeX.

A part says so itself, by a class attribute `cites` with keys of its bibliography (no annotation, so it is no field):

    @part
    class Mine:
        cites = ("mine_2027",)

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
    "umwelt.behaviours:ActorCritic": ("dreamer_v3_2023",),
    "umwelt.behaviours:Bootstrapped": ("bmpc_2025",),
    "umwelt.behaviours:DQN": ("double_dqn_2016",),
    "umwelt.behaviours:Dyna": ("dyna_1991",),
    "umwelt.behaviours:SAC": ("sac_2018", "discrete_sac_2019"),
    "umwelt.memory:Halves": ("wmar_2024",),
    "umwelt.memory:Quota": ("imbalanced_replay_2020",),
    "umwelt.memory:Reservoir": ("reservoir_1985",),
    "umwelt.memory:Surprising": ("weighted_reservoir_2006",),
    "umwelt.models:Doubted": ("plan2explore_2020",),
    "umwelt.models:Ensemble": ("pets_2018", "mbpo_2019", "beta_nll_2022"),
    "umwelt.models:Implicit": ("tdmpc2_2024",),
    "umwelt.models:Losse": ("losse_2024", "online_agent_2025"),
    "umwelt.models:Recalling": ("cadm_2020",),
    "umwelt.models:Rssm": ("dreamer_v3_2023",),
    "umwelt.planners:CEM": ("cem_1999",),
    "umwelt.planners:ICEM": ("icem_2020",),
    "umwelt.planners:MPPI": ("mppi_2017",),
    "umwelt.retention:Elastic": ("ewc_2017", "progress_compress_2018"),
    "umwelt.retention:Experts": ("multiple_models_2002",),
    "umwelt.retention:Hypernetwork": ("hypernetworks_2020", "hypercrl_2021"),
    "umwelt.retention:LowRank": ("lora_2022", "relora_2024"),
    "umwelt.retention:PageHinkley": ("continuous_inspection_1954",),
    "umwelt.retention:Prune": ("infinite_mixture_2020",),
    "umwelt.retention:Refresh": ("refresh_2024",),
    "umwelt.retention:Renewal": ("continual_backprop_2024", "dormant_neurons_2023", "grama_2025"),
    "umwelt.retention:Synaptic": ("synaptic_intelligence_2017",),
    "umwelt.retention:Zoo": ("model_zoo_2022",),
    "umwelt.worlds:Crossing": ("d3il_2024",),
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
