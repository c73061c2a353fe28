"""The dreamer whose model weighs its own losses: each is divided by a scale that is learned beside it."""

from dataclasses import replace
from typing import Any

from umwelt.recipes.dreamer_v3 import dreamer_v3


def balanced(agent: Any) -> Any:
    """The same dreamer with learned weights of the decoder's, the reward's and the latent's losses."""
    return replace(agent, model=replace(agent.model, model=replace(agent.model.model, balance="harmony")))


harmony_dream = dreamer_v3.varied(
    balanced,
    name="harmony_dream",
    summary="dreamer_v3 with a learned balance between the losses of its model",
    citation="HarmonyDream: task harmonization inside world models (ICML 2024)",
    expected="-159 on pendulum in 12,000 decisions (3 seeds); docs/evidence.md",
)
