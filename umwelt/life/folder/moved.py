"""Names that saved lives may hold, and what they are called now.

Keys and values are `umwelt.ROOM:NAME`. A file that moves inside its room needs no row.
"""

PARTS: dict[str, str] = {
    "umwelt.core:Rhythm": "umwelt.life:Rhythm",
}
"""Parts and functions by the name they had."""

FIELDS: dict[str, dict[str, str]] = {
    "umwelt.behaviours:ActorCritic": {"trust": "lambda_", "follow": "ema_rate"},
    "umwelt.behaviours:DQN": {
        "follow": "ema_rate",
        "least": "final_epsilon",
        "random_updates": "epsilon_updates",
        "caution": "conservative",
    },
    "umwelt.behaviours:Dreamer": {"dreams": "starts"},
    "umwelt.models:Implicit": {
        "trust": "lambda_",
        "follow": "ema_rate",
        "taught": "policy_latents",
        "teaches": "improves",
    },
    "umwelt.models:Rssm": {
        "certain": "deterministic",
        "choices": "classes",
        "tells": "targets",
        "free": "free_nats",
        "guess_weight": "dynamics_weight",
        "draw_weight": "representation_weight",
    },
    "umwelt.behaviours:SAC": {"follow": "ema_rate", "target": "target_entropy"},
}
"""Present name of a part -> the field's name then -> its name now."""
