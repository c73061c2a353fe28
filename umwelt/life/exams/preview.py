"""Glimpses of the present episode, and of what the agent imagined of it before: for people to look at.

They cost a life about one part in a hundred of its time, change nothing in it, and are never a part of its digest. The
mind is only read, and what it imagines is forgotten. A thread of its own compiles what they need, once, in lives that
last. There are two, of which the chronicle keeps the newest each. These are their arrays, by name.

- now: seen, float32 [T, width], is what the first row observed at the clocks begin ... begin + T - 1.
- now: seen_positions are the same as positions [T, 2 or 3], where the world has them.
- now: frame, uint8 [H, W, 1 or 3], is the world as it looks, where it can be drawn.
- plan: seen and seen_positions are as above, up to AHEAD decisions after `clock`.
- plan: plan and plan_positions, float32 [AHEAD, .], are what the agent expected at `clock` of the AHEAD clocks after it.

In a plan the agent decides in imagination as in life. There is none while actions are drawn at random. An agent has none
if it is hosted, lacks a model, or has a model that does not predict observations.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import MID, TERMINATED, TimeStep, keys, part, spaces
from umwelt.evaluation.proctor import is_hosted_mind
from umwelt.life.body import Body
from umwelt.life.engine import Engine
from umwelt.life.mind import Mind, is_short
from umwelt.life.spreading import on_first
from umwelt.worlds.position import frame_of, position_of

AFTER, ENOUGH = 10.0, 60.0
"""Seconds that a life has lasted, and will probably still last, before anything is compiled for a viewer."""
EVERY = 2.0
"""Seconds between two glimpses, at least."""
SHARE = 0.01
"""Of a life's time, at most."""
PATH, AHEAD = 200, 15
"""Decisions that are shown of the past, and of the imagined future."""


@part
class Glimpse:
    """name: now or plan. The episode at `clock` on `task`; begin: the clock of its first row."""

    name: str
    clock: int
    task: Any
    begin: int
    arrays: dict[str, np.ndarray]


class Glimpses:
    """Looks at the first row of the first seed, between two chunks. `trouble` says why there will be no more."""

    def __init__(self, engine: Engine, after: float = AFTER, enough: float = ENOUGH) -> None:
        self.body, rhythm, self.single = engine.body, engine.life.rhythm, engine.life.seeds == 1
        self.mesh = engine.mesh
        self.drawn = rhythm.study + rhythm.random  # the clock until which actions are drawn at random
        self.trouble = ""
        self._kinds, self._path, self._clock, self._task = np.zeros(0, np.int8), {}, -1, None
        self._began, self._after, self._enough = np.inf, after, enough
        self._compiling: Future[dict[str, Callable[..., Any]]] | None = None
        self._plan: Glimpse | None = None
        self._next = {"now": 0.0, "plan": 0.0}

    def take(self, records: Any, clock: int) -> None:
        """Take records with leaves [seeds, ticks, B] of the ticks that end at `clock`."""
        self._began = min(self._began, time.perf_counter())
        arrays = {"seen": records.seen, "seen_positions": records.position}
        new = {name: np.array(leaf[0, -PATH:, 0]) for name, leaf in arrays.items() if leaf is not None}
        kinds = np.array(records.kind[0, -PATH:, 0])
        if clock - len(records.kind[0]) == self._clock:
            kinds = np.append(self._kinds, kinds)[-PATH:]
            new = {name: np.concatenate([self._path[name], rows])[-PATH:] for name, rows in new.items()}
        self._kinds, self._path, self._clock = kinds, new, clock
        self._task = jax.tree.map(lambda leaf: leaf[0, -1, 0], records.task)

    def look(self, value: tuple[Any, Mind], left: float) -> list[Glimpse]:
        """Find what there is to see now, mostly nothing. left: seconds that the life will probably still last."""
        began = time.perf_counter()
        if began - self._began < self._after or self.trouble:
            return []
        value = on_first(value, self.mesh)
        if self._compiling is None and left >= self._enough:
            thread = ThreadPoolExecutor(1, "glimpse")
            self._compiling = thread.submit(self._compile, value)
            thread.shutdown(wait=False)
        made = self._made()
        found = []
        if began >= self._next["now"]:
            found.append(self._now(value, made))
            self._rest("now", began)
        if self._plan is not None:
            if self._clock >= self._plan.clock + AHEAD or self._ended_since(self._plan.clock):
                found.append(self._fulfilled(self._plan))
                self._plan = None
        elif "plan" in made and time.perf_counter() >= self._next["plan"] and self._plans:
            began = time.perf_counter()
            arrays = {name: np.asarray(rows) for name, rows in made["plan"](value[1]).items() if rows is not None}
            if arrays:
                self._plan = Glimpse(name="plan", clock=self._clock, task=self._task, begin=0, arrays=arrays)
            self._rest("plan", began)
        return found

    def _rest(self, name: str, began: float) -> None:
        """Wait until this look is less than its share of the time, of which there are two."""
        now = time.perf_counter()
        self._next[name] = now + max(EVERY, 2 * (now - began) / SHARE)

    def _made(self) -> dict[str, Callable[..., Any]]:
        """The compiled functions, once they are there. What cannot be compiled becomes `trouble`, and the life goes on."""
        if self._compiling is None or not self._compiling.done():
            return {}
        if error := self._compiling.exception():
            self.trouble = f"its imagination cannot be shown: {type(error).__name__}: {str(error).splitlines()[0]}"
            return {}
        return self._compiling.result()

    def _compile(self, value: tuple[Any, Mind]) -> dict[str, Callable[..., Any]]:
        """Functions for values like this one, whose arrays may meanwhile have been used up: only their forms are read."""
        state, mind = value
        frame, made = frame_of(self.body.world), {}
        if frame:
            state = None if self.body.world.spec.hosted else state  # a ticket is no data
            draw = jax.jit(lambda state, step: frame(self._first(state), self._first(step)))
            made["frame"] = draw.lower(state, mind.step).compile()
        if foresees(self.body):
            made["plan"] = jax.jit(lambda mind: imagined(self.body, self._first(mind))).lower(mind).compile()
        return made

    def _now(self, value: tuple[Any, Mind], made: dict[str, Callable[..., Any]]) -> Glimpse:
        begin, arrays = self._episode(self._clock)
        if "frame" in made:
            state = None if self.body.world.spec.hosted else value[0]
            arrays["frame"] = np.asarray(made["frame"](state, value[1].step))
        return Glimpse(name="now", clock=self._clock, task=self._task, begin=begin, arrays=arrays)

    def _fulfilled(self, plan: Glimpse) -> Glimpse:
        """The plan beside what then happened."""
        begin, arrays = self._episode(plan.clock)
        return Glimpse(name="plan", clock=plan.clock, task=plan.task, begin=begin, arrays={**arrays, **plan.arrays})

    @property
    def _plans(self) -> bool:
        return self._clock >= self.drawn and self._kinds[-1] < TERMINATED

    def _ended_since(self, clock: int) -> bool:
        ticks = self._clock - clock
        return bool(ticks) and bool(np.any(self._kinds[-ticks:] >= TERMINATED))

    def _episode(self, clock: int) -> tuple[int, dict[str, np.ndarray]]:
        """The clock of the first row, and the rows, of the episode at `clock`."""
        at = len(self._kinds) - 1 - (self._clock - clock)  # where `clock` stands in the path; below 0 it is forgotten
        ended = np.flatnonzero(self._kinds >= TERMINATED)
        start = max([last + 1 for last in ended if last < at], default=0)
        stop = min([last + 1 for last in ended if last >= at], default=len(self._kinds))
        stop = max(0, min(stop, at + 1 + AHEAD))
        begin = int(self._clock - (len(self._kinds) - 1 - start))
        return begin, {name: rows[start:stop] for name, rows in self._path.items()}

    def _first(self, tree: Any) -> Any:
        """The first seed of a value, inside a compiled function, where only what is used is copied."""
        return tree if self.single else jax.tree.map(lambda leaf: leaf[0], tree)


def foresees(body: Body) -> bool:
    """Whether the plan of an agent in this body can be shown: the observation is few numbers, and no choice or picture."""
    leaves = spaces.leaves(body.world.spec.observation)
    pure = not is_hosted_mind(body.agent)
    return pure and is_short(body.world) and all(np.dtype(leaf.dtype).kind == "f" for leaf in leaves)


def imagined(body: Body, mind: Mind) -> dict[str, Any]:
    """What the first row expects to see where it decides in imagination as in life: plan float32 [AHEAD, width] and
    plan_positions. Empty where the agent has no model, or one that does not predict observations."""
    space, position = body.world.spec.observation, position_of(body.world)
    key = keys.fold(mind.key, "glimpse")
    batch = mind.step.kind.shape[0]

    def expect(index: Any, agent: Any, action: Any) -> Any:
        dreaming = keys.fold(jax.random.fold_in(key, index), "imagine")
        return body.agent.imagine(dreaming, agent, jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], action))

    prediction = jax.eval_shape(expect, 0, mind.agent, mind.decision.action)
    if prediction is None or prediction.observation is None:
        return {}

    def onward(carry: tuple[Any, Any], index: jax.Array) -> Any:
        agent, action = carry
        seen = jax.tree.map(lambda leaf: leaf[0], expect(index, agent, action).observation)
        step = TimeStep(kind=jnp.full(batch, MID, jnp.int8), observation=seen, reward=jnp.zeros(batch, jnp.float32))
        seeing, acting = keys.split(jax.random.fold_in(key, index), "see", "act")
        first = jax.tree.map(lambda leaf: leaf[:1], seen)
        shown = {"plan": spaces.features(space, first)[0], "plan_positions": None if position is None else position(first)[0]}
        return body.agent.act(acting, body.agent.see(seeing, agent, step)[0], "explore"), shown

    return jax.lax.scan(onward, (mind.agent, mind.decision.action), jnp.arange(AHEAD))[1]
