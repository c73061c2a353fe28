"""`umwelt data`: what stands in a data set, before anything is learned from it."""

import dataclasses
import json
import math
from typing import Any

import tyro

from umwelt.cli.names import announcing, source_of, world_of
from umwelt.cli.options import UsageError, parse
from umwelt.core import part

DESCRIPTION = """Say what stands in a data set: episodes and how they end, returns, and the range of every number. With
--world the returns are also compared with those of chance and of the world's own expert (trajectory quality, TQ); with
--reference the moments are compared with those of another data set (state-action coverage, SACo).

  umwelt data shown/A --world pendulum
  umwelt data plant.csv --columns obs=heat,flow action=valve reward=paid done=over
  umwelt live --shown shown/A --recipe iql --study 20000 --steps 0

High quality favours cloning; high coverage favours values, such as iql; where both are low, stay near the data (td3_bc,
spot)."""
MOST = 40
"""Columns that are printed; --json has them all."""
EPISODES = 50
"""Episodes of chance and of the expert that returns are compared with."""


@part
class Command:
    """What `umwelt data` takes."""

    data: tyro.conf.Positional[str]
    """A folder of Minari, LeRobot or stable-worldmodel (*.lance), the id of a Minari data set, a table *.csv or *.parquet,
    or module:name of a Source."""
    columns: tuple[str, ...] = ()
    """What the columns of a table are: obs=a,b action=u (or choice=u) reward=r done=d cut=t episode=e. Data sets of LeRobot
    and of stable-worldmodel take obs, action, reward and done."""
    world: str = ""
    """The pure world that it is of, whose chance and expert it is compared with."""
    announced: bool = False
    """The data set also shows the task, as that of a life with --announced does."""
    reference: str = ""
    """Another data set of the same spaces, against which its coverage is measured."""
    json: bool = False
    """Print one JSON object in place of words."""


def run(arguments: list[str]) -> int:
    """Measure the data set and print its card."""
    command = parse(Command, None, arguments, "umwelt data", DESCRIPTION)
    source = source_of(command.data, command.columns)
    world = world_of(command.world) if command.world else None
    if command.announced:
        if world is None:
            raise UsageError("--announced: name the world whose task is shown, by --world")
        world = announcing(world)
    spec = world.spec if world is not None else source.spec() if hasattr(source, "spec") else None
    if spec is None:
        raise UsageError(f"--world: {command.data} does not say its spaces; name the world that it is of")
    try:
        found = measured(source, spec, world, command)
    except ValueError as error:
        raise UsageError(f"{command.data}: {error}") from error
    print(json.dumps(finite(found)) if command.json else "\n".join(told(found)))
    return 0


def measured(source: Any, spec: Any, world: Any, command: Command) -> dict[str, Any]:
    """The card of a source as numbers by name; quality and coverage are None where there is nothing to compare with."""
    import jax
    import numpy as np

    from umwelt.core import spaces
    from umwelt.evaluation import data_sets
    from umwelt.memory import LeRobot, Logged
    from umwelt.worlds.observed import names_of

    def flat(observation: Any, action: Any) -> tuple[Any, Any]:
        return np.asarray(spaces.features(spec.observation, observation)), np.asarray(spaces.features(spec.action, action))

    def pieces_of(source: Any) -> list[Any]:
        return [jax.tree.map(np.asarray, piece) for piece in source.read(jax.random.key(0), spec)]

    def rows_of(pieces: list[Any]) -> tuple[Any, Any]:
        valid = [np.asarray(piece.valid) for piece in pieces]
        both = [
            flat(
                *(jax.tree.map(lambda leaf, chosen=chosen: leaf[chosen], tree) for tree in (piece.step.observation, piece.action))
            )
            for piece, chosen in zip(pieces, valid, strict=True)
        ]
        seen, done = (np.concatenate(each) for each in zip(*both, strict=True))
        return seen, done

    pieces = pieces_of(source)
    if not pieces:
        raise ValueError("it holds no episode")
    seen, done = names_of(world) if world is not None else (), ()
    if isinstance(source, Logged):
        seen, done = source.observation, source.action
    elif isinstance(source, LeRobot):
        seen, done = source.names
    seen = seen or tuple(f"observation {index}" for index in range(spaces.width(spec.observation)))
    done = done or tuple(f"action {index}" for index in range(spaces.width(spec.action)))
    found = dataclasses.asdict(data_sets.card(pieces, (seen, done), flat))
    found["data"] = command.data
    chance, best = played(world, "random"), played(world, "expert")
    found |= {"chance": chance, "expert": best, "quality": None, "coverage": None}
    if chance is not None and best is not None:
        found["quality"] = data_sets.trajectory_quality(found["returns"][1], chance, best)
    if command.reference:
        other = pieces_of(source_of(command.reference, command.columns))
        found["coverage"] = data_sets.coverage(rows_of(pieces), rows_of(other))
    return found


def played(world: Any, how: str) -> float | None:
    """The mean return of chance or of the expert in a pure world; None where it cannot be played."""
    import jax
    import numpy as np

    from umwelt.core import capability
    from umwelt.memory import Played

    if world is None or world.spec.hosted or (how == "expert" and capability(world, "expert") is None):
        return None
    source = Played(world=world, how=how, episodes=EPISODES, batch=EPISODES)
    pieces = source.read(jax.random.key(0), world.spec)
    return float(sum(np.sum(piece.next.reward * piece.valid) for piece in pieces) / EPISODES)


def finite(value: Any) -> Any:
    """The same with None in place of numbers that JSON does not know."""
    if isinstance(value, dict):
        return {name: finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def told(found: dict[str, Any]) -> list[str]:
    """The card in words."""
    least, mean, greatest = found["returns"]
    short, middle, long = found["lengths"]
    cut = found["episodes"] - found["terminated"]
    lines = [
        f"{found['data']}: {found['episodes']:,} episodes, {found['transitions']:,} transitions",
        f"  ends      {found['terminated']:,} terminated, {cut:,} cut off",
        f"  length    {middle:,.1f} decisions on average, from {short:,} to {long:,}",
        f"  return    {mean:,.2f} on average, from {least:,.2f} to {greatest:,.2f}",
        f"  pairs     {found['pairs']:,} distinct pairs of observation and action, in ten bins of each number",
    ]
    if found["unknown"]:
        lines.append(
            f"  actions   of {found['unknown']:,} transitions are not known: they are watched, and teach no policy directly"
        )
    if found["quality"] is not None:
        lines.append(
            f"  quality   {found['quality']:.2f} (TQ), where chance has 0 ({found['chance']:,.1f}) and the expert 1"
            f" ({found['expert']:,.1f})"
        )
    if found["coverage"] is not None:
        lines.append(f"  coverage  {found['coverage']:.2f} of the pairs of the reference (SACo)")
    lines += ["", f"  {'number':<24} {'least':>11} {'mean':>11} {'greatest':>11} {'deviation':>11}  missing"]
    for one in found["columns"][:MOST]:
        numbers = " ".join(f"{one[key]:>11.4g}" for key in ("least", "mean", "greatest", "deviation"))
        lines.append(f"  {one['name'][:24]:<24} {numbers}  {one['missing'] or '-'}{_note(one)}")
    if len(found["columns"]) > MOST:
        lines.append(f"  ... and {len(found['columns']) - MOST} more; --json has them all")
    return lines


def _note(column: dict[str, Any]) -> str:
    return "  never changes" if column["deviation"] == 0.0 else ""
