"""The dreamer without a decoder: its model learns what actions do and what follows is worth."""

from umwelt.recipes.dreamer_v3 import dreamer_v3
from umwelt.recipes.variation import vary

mudreamer = vary(
    dreamer_v3,
    # the model values by the discount of the critic
    {"agent.model.model.targets": "value and action", "agent.model.model.discount": 0.997},
    name="mudreamer",
    summary="dreamer_v3 without reconstruction: its model predicts values and actions instead",
    cites=("mudreamer_2024",),
)
