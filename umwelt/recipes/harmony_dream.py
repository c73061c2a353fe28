"""The dreamer whose model weighs its own losses: each is divided by a learned scale."""

from umwelt.recipes.dreamer_v3 import dreamer_v3
from umwelt.recipes.variation import vary

harmony_dream = vary(
    dreamer_v3,
    {"agent.model.model.balance": "harmony"},
    name="harmony_dream",
    summary="dreamer_v3 with a learned balance between the losses of its model",
    cites=("harmony_dream_2024",),
)
