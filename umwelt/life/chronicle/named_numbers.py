"""Numbers that a world named of its episodes: from the rows of their tables to columns beside the others."""

import numpy as np

from umwelt.life.chronicle.schema import EPISODE, PROBE

Columns = dict[str, np.ndarray]


def named_episodes(episodes: Columns, numbers: Columns) -> Columns:
    """Name -> float64 [E], NaN where an episode has none. numbers: columns `EPISODE_NUMBER`."""
    places = {key: place for place, key in enumerate(_keys(episodes, ("seed", "end", "row")))}
    made = {str(name): np.full(len(places), np.nan) for name in sorted(set(numbers["name"]))}
    for key, name, value in zip(_keys(numbers, ("seed", "end", "row")), numbers["name"], numbers["value"], strict=True):
        if key in places:
            made[name][places[key]] = value
    return made


def named_probes(probes: Columns, numbers: Columns) -> Columns:
    """Name -> one float64 array [episodes] for each probe, NaN where an episode has none. numbers: columns `PROBE_NUMBER`."""
    key = ("seed", "clock", "task", "label")
    places = {key: place for place, key in enumerate(_keys(probes, key))}
    made = {str(name): np.empty(len(places), object) for name in sorted(set(numbers["name"]))}
    for column in made.values():
        column[:] = [np.full(len(returns), np.nan) for returns in probes["returns"]]
    rows = zip(_keys(numbers, key), numbers["name"], numbers["episode"], numbers["value"], strict=True)
    for found, name, episode, value in rows:
        if found in places and 0 <= episode < len(made[name][places[found]]):
            made[name][places[found]][episode] = value
    return made


def names_in(columns: Columns) -> tuple[str, ...]:
    """The names of the numbers that stand in columns of episodes, or of probes, beside those that every life has."""
    return tuple(name for name in columns if name not in (*EPISODE, *PROBE))


def _keys(columns: Columns, names: tuple[str, ...]) -> list[tuple[object, ...]]:
    return list(zip(*(columns[name].tolist() for name in names), strict=True))
