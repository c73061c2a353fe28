"""What is kept of a stream of tasks: agents, orders and seeds in one table.

    python -m evidence.forgetting wishes --seeds 5

Every agent, order and seed is a life of its own in `build/evidence`. An interrupted life is resumed, and a finished one
is only read. Rows go to `evidence/results/forgetting_STREAM.csv`, one for each task of each life. Their summary goes to
`forgetting_STREAM.json`, with the matrices of each agent's first life. The agents and their settings stand in
`evidence/agents.py`, and so do the controls, which run where they are named:

    python -m evidence.forgetting physics --agents joint alone
"""

import argparse
import csv
import json
import sys
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

from evidence.agents import TABLES, Table
from evidence.curves import summed
from evidence.seeds import write_json
from umwelt.evaluation.lifetime import Ledger
from umwelt.evaluation.statistics import stratified_interval
from umwelt.life.api import live, resume
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.compiled import keep_compiled
from umwelt.life.composition import Life
from umwelt.life.exams.scores import diary, error_growth, ledgers
from umwelt.teachers import Blocks
from umwelt.worlds.orders import shuffled

RESULTS, LIVES = Path(__file__).parent / "results", Path("build/evidence")
COLUMNS = ("agent", "order", "seed", "task", "peak", "final", "retention", "error_growth", "recovery")
KEY = 40_000
"""The seed of the intervals."""
CALM = 1.5
"""A world is known where surprise is below this many times what it was at the end of the first lesson on it."""
MOST = 2.0
"""Nats for each number of the observation; more count as this many, because new networks are wrong by any amount."""


def life_of(table: Table, agent: str, order: int, seed: int) -> Life:
    """One life of the table. Order 0 is the tasks as they stand; the others are drawn."""
    names = table.tasks if order == 0 else shuffled(table.tasks, 1, seed=order)
    return _life(table, table.agents[agent], Blocks(names=names * table.times, steps=table.steps), seed)


def controls_of(table: Table, agent: str, order: int, seed: int) -> dict[str, Life]:
    """The lives of a control, by name: that of `joint`, or those of `alone`, one for each task."""
    if agent == "joint" and table.joint:
        # lessons of one episode, and of the step that begins the next
        steps = (table.episode or getattr(table.world, "world", table.world).time_limit) + 1
        rounds = -(-table.steps * table.times // steps)
        return {"joint": _life(table, table.joint, Blocks(names=shuffled(table.tasks, rounds, seed=order), steps=steps), seed)}
    if agent == "alone" and table.alone:
        teachers = {task: Blocks(names=(task,), steps=table.steps * table.times) for task in table.tasks}
        return {f"alone-{task}": _life(table, table.alone, teacher, seed) for task, teacher in teachers.items()}
    raise ValueError(f"--agents: the table has no agent called {agent!r}; it has {', '.join(names_of(table))}")


def names_of(table: Table) -> tuple[str, ...]:
    """Return the names that the table can run: its agents, then its controls."""
    return (*table.agents, *(name for name in ("joint", "alone") if getattr(table, name)))


def _life(table: Table, made: Any, teacher: Blocks, seed: int) -> Life:
    return Life(world=table.world, agent=made(), teacher=teacher, rhythm=table.rhythm, seed=seed)


def live_it(table: Table, name: str, life: Life) -> Path:
    """Begin the life, resume it, or leave it as it is; return its folder."""
    path = LIVES / name
    whole = table.steps * table.times * (len(table.tasks) if len(set(life.teacher.names)) > 1 else 1)
    if not (path / "recipe.json").exists():
        live(life, steps=whole * life.world.spec.batch, name=name, lives=LIVES)
    else:
        with Chronicle.read(path / "chronicle.db") as chronicle:
            reached = chronicle.probes()["clock"].max(initial=0)
        if reached < whole:
            resume(name, lives=LIVES)
    return path


def rows_of(table: Table, agent: str, order: int, seed: int, path: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rows of one life, and its matrices."""
    with Chronicle.read(path / "chronicle.db") as chronicle:
        read = diary(chronicle)
        returns, errors = ledgers(read)[seed], ledgers(read, errors=True)[seed]
        surprise, spent = chronicle.series("surprise"), chronicle.timing()
    if table.floor is not None:
        returns = Ledger(
            lessons=returns.lessons, clocks=returns.clocks, values=returns.values, floor=dict.fromkeys(returns.tasks, table.floor)
        )
    kept, grown = returns.retention(), error_growth(errors)
    # a lesson of one episode is no lesson to recover in
    again = recoveries(returns, surprise["clock"], surprise["value"]) if agent in table.agents else {}
    found = []
    for task in returns.tasks:
        clocks, values = returns.curve(task)
        # the probe that closes a lesson may lie a little before its end
        learned = np.searchsorted(clocks, next(each.end for each in returns.lessons if each.task == task), side="right") - 1
        figures = {"peak": float(values[learned:].max()), "final": float(values[-1]), "retention": kept[task]}
        figures |= {"error_growth": grown[task], "recovery": again.get(task, float("nan"))}
        rounded = {column: round(value, 4) for column, value in figures.items()}
        found.append({"agent": agent, "order": order, "seed": seed, "task": task, **rounded})
    living = summed(spent["seconds"][spent["part"] == "living"])
    matrices = {"tasks": list(returns.tasks), "lessons": [lesson.task for lesson in returns.lessons]}
    matrices |= {"returns": np.round(returns.matrix(), 2).tolist(), "errors": np.round(errors.matrix(), 5).tolist()}
    return found, matrices | {"milliseconds": round(1000 * living / returns.lessons[-1].end, 2)}


def recoveries(ledger: Ledger, clock: np.ndarray, surprise: np.ndarray) -> dict[str, float]:
    """task -> the surprise of its last lesson over that of its first; only what lies above calm counts."""
    # nats may lie below zero; to the power of e they grow with the error too
    error = surprise if np.nanmin(surprise) > 0 else np.exp(np.minimum(surprise, MOST))
    found = {}
    for task in ledger.tasks:
        own = [lesson for lesson in ledger.lessons if lesson.task == task]
        if len(own) < 2:
            continue
        end = (clock > own[0].end - 0.3 * (own[0].end - own[0].begin)) & (clock <= own[0].end)
        calm = CALM * float(np.nanmedian(error[end]))
        inside = [(clock > lesson.begin) & (clock <= lesson.end) for lesson in (own[0], own[-1])]
        first, last = (float(np.nansum(np.maximum(error[at] - calm, 0.0))) for at in inside)
        found[task] = last / first if first else float("nan")
    return found


def summary(name: str, rows: list[dict[str, Any]], first: dict[str, Any], seeds: int, orders: int) -> dict[str, Any]:
    """What the rows of each agent come to."""
    table, agents = TABLES[name], {}
    for agent in dict.fromkeys(row["agent"] for row in rows):
        own = [row for row in rows if row["agent"] == agent]
        lives = sorted({(row["order"], row["seed"]) for row in own})
        tasks = sorted({row["task"] for row in own})

        def cells(column: str, own: list[dict[str, Any]] = own, lives: Any = lives, tasks: Any = tasks) -> np.ndarray:
            values = {(row["order"], row["seed"], row["task"]): float(row[column]) for row in own}
            return np.array([[values[(*life, task)] for task in tasks] for life in lives])

        kept = cells("retention")
        # the last task has had no time to be forgotten
        old = np.array(
            [row["retention"] for row in own if agent in table.agents and row["task"] != last_of(own, row)], np.float64
        )
        low, high = stratified_interval(jax.random.key(KEY), kept, lambda values: float(np.nanmean(values)))
        agents[agent] = {
            "lives": len(lives),
            "retention": finite(float(np.nanmean(kept))),
            "interval": [finite(low), finite(high)],
            "without_the_last_task": finite(float(np.nanmean(old))) if old.size else None,
            "never_learned": int(np.isnan(kept).sum()),
            "worst_task": {"mean": finite(float(np.nanmin(kept, axis=1).mean())), "least": finite(float(np.nanmin(kept)))},
            "final_return": finite(float(cells("final").mean())),
            "error_growth_median": finite(float(np.median(cells("error_growth")))),
            "recovery_median": finite(_median(cells("recovery"))),
        } | first.get(agent, {})
    command = f"python -m evidence.forgetting {name} --agents {' '.join(agents)} --seeds {seeds} --orders {orders}"
    whole = all(each["lives"] >= seeds * (1 if name == "alone" else orders) for name, each in agents.items())
    return {"command": command, "whole": whole, "date": time.strftime("%Y-%m-%d"), "agents": agents}


def last_of(rows: list[dict[str, Any]], row: dict[str, Any]) -> str:
    """The task that the life of a row learned last: rows stand in the order of first lessons."""
    return [each["task"] for each in rows if (each["order"], each["seed"]) == (row["order"], row["seed"])][-1]


def write(made: Path, rows: list[dict[str, Any]], told: dict[str, Any]) -> None:
    """Both files, each whole or not at all."""
    write_json(made.with_suffix(".json"), told)
    draft = made.with_suffix(".tmp")
    with draft.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(COLUMNS), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    draft.replace(made.with_suffix(".csv"))


def _median(values: np.ndarray) -> float:
    """Of what is a number; NaN where nothing is."""
    found = values[~np.isnan(values)]
    return float(np.median(found)) if found.size else float("nan")


def finite(value: float) -> float | None:
    """A number as JSON can hold it."""
    return round(value, 3) if np.isfinite(value) else None


def main() -> int:
    """One table, to the screen and to its files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stream", choices=list(TABLES))
    parser.add_argument("--agents", nargs="*", help="all of the table, unless given; controls only if given: joint, alone")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--orders", type=int, default=2)
    given = parser.parse_args()
    table, made = TABLES[given.stream], RESULTS / f"forgetting_{given.stream}"
    keep_compiled()
    rows: list[dict[str, Any]] = []
    first: dict[str, Any] = {}
    if made.with_suffix(".csv").exists():
        with made.with_suffix(".csv").open(newline="") as file:
            numbers = COLUMNS[4:]
            rows = [
                {**row, "order": int(row["order"]), "seed": int(row["seed"]), **{name: float(row[name]) for name in numbers}}
                for row in csv.DictReader(file)
            ]
        stored = json.loads(made.with_suffix(".json").read_text())["agents"] if made.with_suffix(".json").exists() else {}
        first = {name: {"milliseconds": each["milliseconds"], "matrices": each["matrices"]} for name, each in stored.items()}
    for seed in range(given.seeds):
        for order in range(given.orders):
            for agent in given.agents or table.agents:
                if any((row["agent"], row["order"], row["seed"]) == (agent, order, seed) for row in rows):
                    continue
                control = agent not in table.agents
                if agent == "alone" and order:
                    continue
                lives = controls_of(table, agent, order, seed) if control else {agent: life_of(table, agent, order, seed)}
                found: list[dict[str, Any]] = []
                for name, life in lives.items():
                    path = live_it(table, f"{given.stream}-{name}-{order}-{seed}", life)
                    some, matrices = rows_of(table, agent, order, seed, path)
                    found += some
                    told = {"milliseconds": matrices.pop("milliseconds"), "matrices": None if control else matrices}
                    first.setdefault(agent, told)
                    jax.clear_caches()
                rows += found
                print(agent, order, seed, [row["retention"] for row in found], [row["final"] for row in found], flush=True)
                write(made, rows, summary(given.stream, rows, first, given.seeds, given.orders))
    for agent, told in json.loads(made.with_suffix(".json").read_text())["agents"].items():
        print(agent, {name: value for name, value in told.items() if name != "matrices"})
    return 0


if __name__ == "__main__":
    sys.exit(main())
