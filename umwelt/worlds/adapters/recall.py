"""Save a hosted world, and restore it by a replay of its episodes."""

from typing import Any

import numpy as np

from umwelt.core import TERMINATED, TRUNCATED, TimeStep
from umwelt.worlds.adapters.host import Event, Host, Ticket
from umwelt.worlds.adapters.row import Outcome

KEYS = ("seed", "variant", "length", "actions", "kind", "observation", "reward")
"""What a saved world holds; `actions` are those of all rows, one after the other."""
POSED = "posed_"
"""The beginning of the names of what an episode was given when it began."""
NAMED = "named_"
"""The beginning of the names of recorded numbers."""


def save(ticket: Ticket) -> dict[str, np.ndarray]:
    """What it takes to be here again. The ticket stays good.

    seed, variant, length: int32 [B]. actions: [sum of length, ...]. kind: int8 [B]. observation:
    [B, ...]. reward: float32 [B]. An episode that has ended keeps no actions.
    """
    host: Host = ticket.host
    host.check(ticket)
    actions = [record.actions[: 0 if kind >= TERMINATED else None] for record, kind in zip(host.logs, host.kinds, strict=True)]
    return {
        "seed": np.array(host.seeds, np.int32),
        "variant": np.array(host.variants, np.int32),
        "length": np.array([len(record) for record in actions], np.int32),
        "actions": np.concatenate(actions),
        "kind": host.current.kind.copy(),
        "observation": host.current.observation.copy(),
        "reward": host.current.reward.copy(),
        **{f"{POSED}{name}": given.copy() for name, given in host.options.items()},
        **{f"{NAMED}{name}": host.current.named[name].copy() for name in host.record},
    }


def restore(host: Host, saved: dict[str, Any]) -> tuple[Ticket, TimeStep]:
    """The saved world again, by its seeds and actions. host: simulators that no episode has begun in yet.

    A row that does not come back bit for bit is TRUNCATED where it was saved, so that its next episode begins. An event
    `resume_mismatch` says so.
    """
    try:
        saved = _checked(host, saved)
    except BaseException:
        host.crew.close()
        raise
    host.options = {name: saved[f"{POSED}{name}"].copy() for name in host.options}
    host.kinds = [int(kind) for kind in saved["kind"]]
    calls, start = [], 0
    for row in range(host.batch):
        host.seeds[row], host.variants[row] = int(saved["seed"][row]), int(saved["variant"][row])
        actions = saved["actions"][start : start + int(saved["length"][row])]
        start += len(actions)
        for action in actions:
            host.logs[row].add(action)
        if host.kinds[row] < TERMINATED:
            calls.append((row, "replay", (host.seeds[row], host.variants[row], host.given(row), actions)))
    try:
        outcomes = host.crew.ask(calls)
    except BaseException:
        host.crew.close()
        raise
    for (row, _, _), outcome in zip(calls, outcomes, strict=True):
        difference = _difference(outcome, saved["observation"][row], saved["reward"][row])
        if difference:
            host.kinds[row] = TRUNCATED
            message = f"the world did not repeat its episode ({difference}); the row goes on with the next one"
            host.events.append(Event(name="resume_mismatch", message=message, row=row))
    kind = np.array(host.kinds, np.int8)
    named = {name: saved[f"{NAMED}{name}"].copy() for name in host.record} or None
    host.current = TimeStep(kind=kind, observation=saved["observation"].copy(), reward=saved["reward"].copy(), named=named)
    return host.ticket(), host.current


def _checked(host: Host, saved: dict[str, Any]) -> dict[str, np.ndarray]:
    names = (*KEYS, *(f"{POSED}{name}" for name in host.options), *(f"{NAMED}{name}" for name in host.record))
    missing = [name for name in names if name not in saved]
    if missing:
        raise ValueError(f"saved lacks {', '.join(missing)}: give what `save` returned")
    arrays = {name: np.asarray(saved[name]) for name in names}
    if len(arrays["seed"]) != host.batch:
        raise ValueError(f"saved holds {len(arrays['seed'])} rows and this world has batch={host.batch}: make them equal")
    return arrays


def _difference(outcome: Outcome, observation: np.ndarray, reward: np.ndarray) -> str:
    """What of an episode's last moment differs from the stored one, or an empty string."""
    if outcome.fault:
        return f"{outcome.fault[0]}: {outcome.fault[1]}"
    if outcome.terminated or outcome.truncated:
        return "it ended earlier"
    if outcome.observation.tobytes() != observation.tobytes():
        gap = np.abs(outcome.observation.astype(np.float64) - observation.astype(np.float64)).max()
        return f"its observation differs by up to {gap:g}"
    if np.float32(outcome.reward) != reward:
        return f"its reward is {outcome.reward:g} and was {reward:g}"
    return ""
