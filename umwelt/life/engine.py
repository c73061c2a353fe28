"""The engine: it drives the value of a life forward."""

from dataclasses import fields, replace
from functools import cache, partial
from typing import Any

import jax
import numpy as np

from umwelt.core import TimeStep, WorldSpec, host_scan, keys, scan
from umwelt.core.contracts import World
from umwelt.life.allocator import keep_heap
from umwelt.life.beside import Beside
from umwelt.life.body import Body, Dose, Mind, live_segment
from umwelt.life.composition import BadLife, Life
from umwelt.life.rhythm import Rhythm, Segment
from umwelt.life.saves.spilling import spills
from umwelt.memory import minari


class Engine:
    """Drives the value of one life. It holds compiled functions and no state of the life."""

    def __init__(self, life: Life) -> None:
        self.life = life
        hosted = _seen(life.world).hosted
        _check(life.rhythm)
        if life.driver not in ("auto", "scan", "host"):
            raise BadLife(f"driver: {life.driver!r} is not one of auto, scan, host")
        if hosted and life.driver == "scan":
            raise BadLife(f"driver: the world {life.world.spec.name} is hosted and cannot be compiled; use host or auto")
        self.compiled_world = not hosted and life.driver != "host"
        if life.seeds > 1 and not self.compiled_world:
            raise BadLife(f"seeds: {life.seeds} lives at once need a pure world under scan; start one life for each seed")
        if life.keep_episodes and life.seeds > 1:
            raise BadLife("keep_episodes: a dataset holds one life; keep the episodes of one seed at a time")
        if life.keep_episodes and (missing := minari.missing()):
            raise BadLife(f"keep_episodes: {missing}")
        keep_heap()
        self.body = Body(world=life.world, agent=life.agent, teacher=life.teacher, keep=life.keep_episodes)
        self._segment = cache(self._compile_segment)
        self._turn = cache(lambda mode: jax.jit(partial(self.body.turn, mode), donate_argnums=0))
        self._study = jax.jit(self.body.study, donate_argnums=0)
        self._beside: Beside | None = None
        self._step = life.world if hosted else _Compiled(life.world)

    def rehearse(self) -> None:
        """Let every part look at its world without computing anything; what they refuse is a `BadLife`."""
        try:
            agent, _, task = jax.eval_shape(self.body.conceive, jax.random.key(0))
            if not self.life.world.spec.hosted:
                jax.eval_shape(self.life.world.init, jax.random.key(0), task)
        except ValueError as error:
            raise BadLife(str(error)) from error
        on_disk = [part for part in jax.tree.leaves(agent, is_leaf=spills) if spills(part)]
        if on_disk and self.life.seeds > 1:
            raise BadLife(f"seeds: a memory on disk is of one life, and these are {self.life.seeds}; live them one by one")

    def begin(self) -> tuple[Any, Mind]:
        """The life before its first step: a pair (world state, mind), with a leading axis where seeds > 1."""
        mode = "random" if self.life.rhythm.random else "explore"
        if self.compiled_world:
            begin = partial(self._begin_pure, mode)
            if self.life.seeds == 1:
                return jax.jit(begin)(jax.random.key(self.life.seed))
            return jax.jit(jax.vmap(begin))(self._seed_keys())
        key = jax.random.key(self.life.seed)
        agent, teacher, task = jax.jit(self.body.conceive)(key)
        state, step = self._step.init(self.first_world_key(key), task)
        return state, self.awaken(mode, key, agent, teacher, task, step)

    def awaken(self, mode: Any, key: Any, agent: Any, teacher: Any, task: Any, step: TimeStep) -> Mind:
        """The compiled `Body.awaken`."""
        return jax.jit(partial(self.body.awaken, mode))(key, agent, teacher, task, step)

    def advance(self, life: tuple[Any, Mind], segment: Segment) -> tuple[tuple[Any, Mind], tuple[Any, dict[str, Any]]]:
        """Live through a segment. The value that is passed in is used up; records come back as NumPy
        arrays with leaves [seeds, ticks, B] and learning metrics with leaves [seeds, periods]."""
        if not self.compiled_world:
            beside = self._beside_of(life[1]) if segment.updates else None
            study = beside.study if beside else self._study
            each = segment.mode == "explore" and self.life.rhythm.learn_every == 1
            both = beside.turn_and_study if beside and each else None
            turn = self._turn(segment.mode)
            life, (records, infos) = live_segment(self._step, turn, study, host_scan, segment, life, both=both)
        elif _learns(segment):
            life, (records, infos) = self._segment(self.program_of(segment))(life, self.dose(segment))
        elif segment.updates and _learns(self.life.rhythm.whole):
            # the first updates of a life, which are made by the program of what follows
            life, (records, _) = self._segment(replace(segment, updates=0))(life)
            only = Segment(mode="explore", periods=1, every=0, updates=segment.updates)
            life, (_, infos) = self._segment(self.program_of(only))(life, self.dose(only))
        else:
            life, (records, infos) = self._segment(segment)(life)
        single = self.life.seeds == 1

        def told(leaf: Any) -> np.ndarray:
            leaf = np.asarray(leaf)[None] if single else np.asarray(leaf)
            return leaf[:, : segment.periods]

        def flatten(leaf: Any) -> np.ndarray:
            leaf = told(leaf)[:, :, : segment.every]
            return leaf.reshape(leaf.shape[0], segment.ticks, *leaf.shape[3:])

        return life, (jax.tree.map(flatten, records), jax.tree.map(told, infos))

    def _beside_of(self, mind: Mind) -> Beside | None:
        """The programs that let this agent learn while it decides, if it can."""
        if self._beside is None:
            self._beside = Beside(self.body, mind)
        return self._beside if self._beside.apart else None

    def close(self) -> None:
        """Nothing is lived any more."""
        if self._beside is not None:
            self._beside.close()

    def first_world_key(self, key: jax.Array) -> jax.Array:
        """The key of the world's `init`."""
        return keys.fold(key, "first world")

    def _seed_keys(self) -> jax.Array:
        return jax.vmap(jax.random.key)(self.life.seed + np.arange(self.life.seeds))

    def _begin_pure(self, mode: Any, key: jax.Array) -> tuple[Any, Mind]:
        agent, teacher, task = self.body.conceive(key)
        state, step = self.life.world.init(self.first_world_key(key), task)
        return state, self.body.awaken(mode, key, agent, teacher, task, step)

    def program_of(self, segment: Segment) -> Segment:
        """The segment whose program lives this one, in which something is learned: the rhythm's longest, of which it is a
        part, so that learning, which takes longest to compile, is compiled once for all lengths. Where learning is rarer
        than a chunk, that would have room for records of far more decisions than are lived; then it is the segment itself."""
        whole, chunk = self.life.rhythm.whole, self.life.rhythm.chunk
        part_of = segment.periods <= whole.periods and segment.every <= whole.every <= max(chunk, segment.every)
        return whole if part_of and _learns(whole) else segment

    def dose(self, segment: Segment) -> Dose:
        """All of a segment, for the program that lives it."""
        lived = np.arange(self.program_of(segment).periods) < segment.periods
        return Dose(ticks=np.int32(segment.every) * lived, updates=np.int32(segment.updates) * lived)

    def _compile_segment(self, segment: Segment) -> Any:
        turn = partial(self.body.turn, segment.mode)

        def run(life: tuple[Any, Mind], *dose: Dose) -> Any:
            return live_segment(self.life.world, turn, self.body.study, scan, segment, life, *dose)

        of_each = (0, None) if _learns(segment) else (0,)
        return jax.jit(run if self.life.seeds == 1 else jax.vmap(run, in_axes=of_each), donate_argnums=0)


def _seen(world: World) -> WorldSpec:
    """The spec of a world; what it refuses, or lacks, is a `BadLife`."""
    try:
        spec = world.spec
    except (ValueError, ImportError) as error:
        raise BadLife(f"world: {error}") from error
    if spec.batch < 1:
        raise BadLife(f"world: batch={spec.batch} rows cannot be lived; it is at least 1")
    return spec


def _check(rhythm: Rhythm) -> None:
    """Refuse a rhythm that stands still, or counts backwards."""
    least = {"chunk": 1, "learn_every": 1, "record_every": 1, "probe_episodes": 1}
    for field in fields(rhythm):
        value, smallest = getattr(rhythm, field.name), least.get(field.name, 0)
        if value < smallest:
            raise BadLife(f"rhythm: {field.name}={value} must be at least {smallest}")


def _learns(segment: Segment) -> bool:
    """Whether the program of a segment is told how often to learn. Were that a constant, the compiler would unroll the
    loop, draw from the memory beside what is added to it, and for that copy all of it at each decision."""
    return bool(segment.mode == "explore" and segment.updates)


class _Compiled:
    """A pure world whose two methods are compiled one by one, for the host driver."""

    def __init__(self, world: World) -> None:
        self.spec = world.spec
        self.init = jax.jit(world.init)
        self.step = jax.jit(world.step)
