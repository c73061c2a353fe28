"""Lives of agents that set out for goals, counted cell by cell: the study of claims about goals and coverage."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Measure
from umwelt.core import keys, lived, part
from umwelt.evaluation.coverage import area, visited_by

CELLS = Measure(name="cells", unit="cells", better="up")
"""Distinct cells that were visited in the whole life."""
AREA = Measure(name="area", unit="share", better="up")
"""The mean share of all cells that had been visited, over time."""
SUCCESS = Measure(name="success", unit="share", better="up")
"""The share of exam episodes in which the goal is reached, at the end."""
STEPS = Measure(name="steps", unit="decisions", better="down")
"""Decisions of one row until the exam is first passed at 80 %; all of them where it never is."""


@part
class Wandering:
    """One life in a maze, with exams on the way; a function of a key."""

    world: Any
    """A pure maze, or one that announces its goal."""
    agent: Any
    ticks: int
    """Decisions of one row."""
    goals: tuple[str, ...]
    """Named tasks; each episode begins on one of them, drawn evenly."""
    asked: str = ""
    """The task of the exams; empty for the first of `goals`."""
    random: int = 0
    """Decisions at random before the first update."""
    every: int = 50
    """Decisions between two lessons."""
    updates: int = 10
    """Updates in a lesson."""
    exams: int = 10
    """How many exams there are, at equal distances."""
    rows: int = 40
    """Episodes of an exam."""
    time_limit: int = 100
    """Decisions of an exam's episode."""
    mode: str = "exploit"
    """How the agent acts in an exam; "explore" as it does in life."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live and be examined: {measure: float32 []}."""
        beginning, living, ending = keys.split(key, "begin", "live", "end")  # noqa: RUF059
        spec, named = self.world.spec, self.world.tasks()
        tasks = jax.tree.map(
            lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *(named[name] for name in self.goals)
        )
        agent = self.agent.init(beginning, spec)
        state, step = self.world.init(keys.fold(beginning, "world"), _drawn(beginning, tasks, spec.batch))
        agent, _ = self.agent.see(beginning, agent, step)
        lessons = self.ticks // self.every
        apart = max(1, lessons // self.exams)

        def stretch(life: Any, given: Any) -> tuple[Any, Any]:
            life, cells = jax.lax.scan(lambda life, at: self._lesson(life, at, tasks), life, given)
            return life, (cells, self._marks(keys.fold(given[0][0], "exam"), life[1], named[self.asked or self.goals[0]]))

        number = lessons // apart
        given = (jax.random.split(living, (number, apart)), jnp.arange(number * apart).reshape(number, apart))
        (state, agent, step), (cells, marks) = jax.lax.scan(stretch, (state, agent, step), given)
        curve = visited_by(cells.reshape(-1, spec.batch), self._cells)
        passed = marks >= 0.8
        first = jnp.where(jnp.any(passed), jnp.argmax(passed) + 1, number) * apart * self.every
        return {
            "cells": curve[-1].astype(jnp.float32),
            "area": area(curve, self._cells),
            "success": jnp.mean(marks[-max(1, number // 5) :]),
            "steps": first.astype(jnp.float32),
        }

    def _lesson(self, life: Any, given: Any, tasks: Any) -> tuple[Any, jax.Array]:
        """Live `every` ticks and learn: the life, and the cells [every, B] that were visited."""
        key, index = given
        deciding, learning = keys.split(key, "decide", "learn")
        early = index * self.every < self.random

        def tick(life: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            acting, drawing, asking, stepping, seeing, keeping = keys.split(key, "act", "draw", "ask", "step", "see", "remember")
            state, agent, step = life
            agent, chosen = self.agent.act(acting, agent)
            _, anything = self.agent.act(drawing, agent, "random")
            action = jax.tree.map(lambda one, other: jnp.where(early, one, other), anything, chosen)
            state, next = self.world.step(stepping, state, action, _drawn(asking, tasks, self.world.spec.batch))
            agent, seen = self.agent.see(seeing, agent, next)
            agent, _ = self.agent.remember(keeping, agent, lived(step, action, next, task=state.task, surprise=seen["surprise"]))
            return (state, agent, next), self._cell(next.observation)

        (state, agent, step), cells = jax.lax.scan(tick, life, jax.random.split(deciding, self.every))
        updates = jnp.where(early, 0, self.updates)
        agent = jax.lax.fori_loop(
            0, updates, lambda at, agent: self.agent.learn(jax.random.fold_in(learning, at), agent)[0], agent
        )
        return (state, agent, step), cells

    def _marks(self, key: jax.Array, agent: Any, task: Any) -> jax.Array:
        """The share of exam episodes that reach the goal of `task`: float32 []."""
        world = _with_rows(self.world, self.rows)
        asked = jax.tree.map(lambda leaf: jnp.broadcast_to(jnp.asarray(leaf), (self.rows, *jnp.shape(leaf))), task)
        state, step = world.init(key, asked)
        body = self.agent.embody(key, agent, world.spec)
        body, _ = self.agent.see(key, body, step)

        def tick(life: Any, key: jax.Array) -> tuple[Any, None]:
            state, body, hit = life
            body, action = self.agent.act(key, body, self.mode)
            state, next = world.step(key, state, action, asked)
            body, _ = self.agent.see(key, body, next)
            return (state, body, hit | (next.reward > 0.5)), None

        none = jnp.zeros(self.rows, bool)
        (_, _, hit), _ = jax.lax.scan(tick, (state, body, none), jax.random.split(key, self.time_limit))
        return jnp.mean(hit.astype(jnp.float32))

    def _cell(self, observation: Any) -> jax.Array:
        """The cell of the map that each row stands in: int32 [B]."""
        place = observation["seen"] if isinstance(observation, dict) else observation
        column, row = (jnp.floor(place[:, axis]).astype(jnp.int32) for axis in (0, 1))
        return row * len(_maze(self.world).layout[0]) + column

    @property
    def _cells(self) -> int:
        return len(_maze(self.world).layout) * len(_maze(self.world).layout[0])


def _maze(world: Any) -> Any:
    return _maze(world.world) if hasattr(world, "world") else world


def _with_rows(world: Any, rows: int) -> Any:
    return replace(world, world=_with_rows(world.world, rows)) if hasattr(world, "world") else replace(world, batch=rows)


def _drawn(key: jax.Array, tasks: Any, rows: int) -> Any:
    """One of tasks [K] for each row."""
    number = jax.tree.leaves(tasks)[0].shape[0]
    chosen = jax.random.randint(keys.fold(key, "task"), (rows,), 0, number)
    return jax.tree.map(lambda leaf: leaf[chosen], tasks)
