"""What a recipe is: a named composition, with what it reproduces and what to expect of it."""

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import Any

from umwelt.core import part
from umwelt.core.contracts import Agent
from umwelt.life.rhythm import Rhythm


@part
class Recipe:
    """A named agent and its rhythm.

    summary: one line. citation: the work it follows. budget: what a run costs. expected: what was
    measured with it, and by which command. sizes: the agent under other names, for `--recipe.size`. rhythms: of the
    sizes that have a rhythm of their own. repeats: how many frames a decision lasts in the worlds of an adapter, as
    published, unless `--world.repeat` says otherwise.
    """

    name: str
    summary: str
    agent: Agent
    rhythm: Rhythm
    citation: str
    budget: str
    expected: str
    sizes: Mapping[str, Agent] = field(default_factory=dict)
    rhythms: Mapping[str, Rhythm] = field(default_factory=dict)
    repeats: Mapping[str, int] = field(default_factory=dict)

    def rhythm_of(self, size: str | None) -> Rhythm:
        """The rhythm of the agent of that size; of the default one for None."""
        return self.rhythms.get(size or "", self.rhythm)

    def varied(
        self, change: Callable[[Any], Agent], *, name: str, summary: str, citation: str, expected: str = "not measured yet"
    ) -> "Recipe":
        """The recipe of the same rhythm and sizes whose agents are `change` of these; what was measured is not theirs."""
        sizes = {size: change(agent) for size, agent in self.sizes.items()}
        card = {"name": name, "summary": summary, "citation": citation, "expected": expected}
        return replace(self, **card, agent=change(self.agent), sizes=sizes)
