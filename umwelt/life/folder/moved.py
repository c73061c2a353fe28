"""Names that saved lives may hold, and what they are called now.

Keys and values are `umwelt.ROOM:NAME`. A file that moves inside its room needs no row.
"""

from collections.abc import Callable
from typing import Any

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

LATER: dict[str, dict[str, Any]] = {
    "umwelt.behaviours:DQN": {"layers": 2, "optimiser": None, "experts": 0},
    "umwelt.behaviours:RandomAgent": {"hold": 1.0},
    "umwelt.curiosity:Counts": {"tells": "last"},
    "umwelt.worlds:Announced": {"only": {"tuple": []}},
    "umwelt.worlds:Hosted": {"record": {"tuple": []}},
    "umwelt.behaviours:SAC": {"pull": None, "weigh": None, "conservative": None, "soft": True, "drawn": 0},
    "umwelt.models:Losse": {"linear": False},
}
"""Part -> fields that came later, each with the value, as it is written, at which the part does what it did before. So a
stored result stays that of its expression. Where a default changes, it stays as it is here."""

Written = dict[str, Any]
"""Fields as they stand in a folder, by name; or a part as it does: its name and its fields."""


def _counted(fields: Written) -> Written:
    """Counting was an agent of its own, and is curiosity around any agent."""
    counts = _part("umwelt.curiosity:Counts", {"of": "bits", "episodic": True})
    rest = {"weight": fields["bonus"], "scale": fields["scale"], "tells": True, "normalised": False}
    return _part("umwelt.behaviours:Curious", {"agent": fields["agent"], "curiosity": counts, **rest})


def _dyna(fields: Written) -> Written | None:
    """How to dream was three fields, and is a part; the weight of doubt was one, and stands in an objective."""
    if "caution" not in fields:
        return None
    rest = {name: value for name, value in fields.items() if name not in ("dreams", "horizon", "begin", "finish", "caution")}
    dreams = _part("umwelt.behaviours:Rolls", {name: fields[name] for name in ("horizon", "begin", "finish")})
    objective = _part("umwelt.core:Objective", {"doubt": -fields["caution"]})
    return _part("umwelt.behaviours:Dyna", {**rest, "dreamed": fields["dreams"], "dreams": dreams, "objective": objective})


def _hosting(adapter: str) -> Callable[[Written], Written | None]:
    """An adapter was a world, and is the simulator of one."""

    def hosted(fields: Written) -> Written | None:
        if "batch" not in fields:
            return None
        rest = {name: fields[name] for name in ("batch", "repeat", "subprocesses", "pictures")}
        simulator = _part(adapter, {name: value for name, value in fields.items() if name not in rest})
        return _part("umwelt.worlds:Hosted", {"simulator": simulator, **rest})

    return hosted


def _part(name: str, fields: Written) -> Written:
    return {"part": name, "fields": fields}


REBUILT: dict[str, Callable[[Written], Written | None]] = {
    "umwelt.behaviours:Counted": _counted,
    "umwelt.behaviours:Dyna": _dyna,
    "umwelt.worlds:DmControl": _hosting("umwelt.worlds:DmControl"),
    "umwelt.worlds:Gymnasium": _hosting("umwelt.worlds:Gymnasium"),
}
"""Name of a part that was split or joined -> from the fields that were written to the part as it would be written now; None
where the fields are those of today."""
