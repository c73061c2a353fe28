"""The engine: it drives the value of a life forward."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Info, WorldSpec, capability, is_hosted, keys, zeros_step
from umwelt.core.contracts import World
from umwelt.evaluation.proctor import is_hosted_mind
from umwelt.life.allocator import keep_heap
from umwelt.life.body import Body
from umwelt.life.composition import BadLife, Life
from umwelt.life.consulting import consults
from umwelt.life.exams.examine import panel_of
from umwelt.life.mind import Mind
from umwelt.life.programs import Ticks, Whole
from umwelt.life.ranges import outside
from umwelt.life.rhythm import Rhythm, Segment
from umwelt.life.saves.spilling import spills
from umwelt.life.showing import Note, show
from umwelt.memory import minari


class Engine:
    """Drives the value of one life. It holds compiled functions and no state of the life.

    overlap: let learning run beside deciding where the world is hosted and the agent allows it; the result is the same.
    """

    def __init__(self, life: Life, overlap: bool = True) -> None:
        self.life = life
        hosted = _spec_of(life.world).hosted
        self.hosted_mind = is_hosted_mind(life.agent)
        _check_rhythm(life.rhythm)
        if life.driver not in ("auto", "scan", "host"):
            raise BadLife(f"driver: {life.driver!r} is not one of auto, scan, host")
        if life.driver == "scan" and (hosted or self.hosted_mind):
            what = f"the world {life.world.spec.name}" if hosted else f"the agent {type(life.agent).__name__}"
            raise BadLife(f"driver: {what} is hosted and cannot be compiled; use host or auto")
        self.compiled_world = not hosted and not self.hosted_mind and life.driver != "host"
        if life.seeds > 1 and not self.compiled_world:
            raise BadLife(
                f"seeds: {life.seeds} lives at once need a pure world and a pure agent under scan; start one life for each seed"
            )
        if life.keep_episodes and life.seeds > 1:
            raise BadLife("keep_episodes: a dataset holds one life; keep the episodes of one seed at a time")
        if life.keep_episodes and (missing := minari.missing()):
            raise BadLife(f"keep_episodes: {missing}")
        keep_heap()
        self.body = Body(world=life.world, agent=life.agent, teacher=life.teacher, keep=life.keep_episodes)
        self.programs: Whole | Ticks = (
            Whole(self.body, life.rhythm, life.seeds) if self.compiled_world else Ticks(self.body, life.rhythm, overlap)
        )
        self.mesh = self.programs.mesh
        reflect = capability(life.teacher, "reflect")
        self._reflect = reflect and self._reflecting(reflect)

    def check(self) -> None:
        """Let every part look at its world without computing anything; what they refuse is a `BadLife`."""
        life = self.life
        for name in ("agent", "teacher"):
            if sentence := outside(getattr(life, name), name):
                raise BadLife(sentence)
        try:
            agent, teacher, _ = self._shapes()
        except ValueError as error:
            raise BadLife(str(error)) from error
        panel_of(life)
        on_disk = [part for part in jax.tree.leaves(agent, is_leaf=spills) if spills(part)]
        if on_disk and life.seeds > 1:
            raise BadLife(f"seeds: a memory on disk is of one life, and these are {life.seeds}; run them one by one")
        asking = [part for part in jax.tree.leaves((agent, teacher), is_leaf=consults) if consults(part)]
        if asking and life.voice is None:
            raise BadLife(
                f"voice: {type(asking[0]).__name__} consults the outside, and this life has no voice;"
                " give Life(voice=...) a part with `answer(questions) -> answers`"
            )
        if life.voice is not None and capability(life.voice, "answer") is None:
            raise BadLife(f"voice: {life.voice!r} has no `answer(questions) -> answers`; give a part that has it")
        for source in life.shown:
            if capability(source, "read") is None:
                raise BadLife(f"shown: {source!r} has no `read(key, spec)`; give sources such as umwelt.memory.Minari(path=...)")
            if examine_source := capability(source, "check"):
                try:
                    examine_source(life.world.spec)
                except (ValueError, OSError, ImportError) as error:
                    raise BadLife(f"shown: {error}") from error

    def begin(self, note: Note = lambda name, message: None) -> tuple[Any, Mind]:
        """The life before its first tick: a pair (world state, mind), with a leading axis where seeds > 1.

        note: receives (name, message) of what the agent was shown.
        """
        key = self._key()
        if isinstance(self.programs, Whole) and not self.life.shown:
            return self.programs.compiled(self._begun)(key)
        agent, teacher, task = self.programs.compiled(self.body.create)(key)
        if self.life.shown:
            try:
                agent = show(self.life, key, agent, self.programs.compiled, self.programs.drive, note)
            except (ValueError, ImportError) as error:
                raise error if isinstance(error, BadLife) else BadLife(f"shown: {error}") from error
        return self.programs.open(key, agent, teacher, task)

    def form(self) -> tuple[Any, Mind]:
        """A value of the form that `begin` returns, abstract where all is pure; the world state is None of a hosted one."""
        if isinstance(self.programs, Whole):
            return jax.eval_shape(self.programs.compiled(self._begun), self._key())
        return self._opened_alone() if self.hosted_mind else jax.eval_shape(self._opened_alone)

    def advance(self, life: tuple[Any, Mind], segment: Segment) -> tuple[tuple[Any, Mind], tuple[Any, Info]]:
        """Run a segment. The value that is passed in is used up.

        Records come back as NumPy arrays with leaves [seeds, ticks, B], None of a study; metrics of learning as leaves
        [seeds, periods].
        """
        life, (records, infos) = self.programs.advance(life, segment)
        single = self.life.seeds == 1

        def of_periods(leaf: Any) -> np.ndarray:
            leaf = np.asarray(leaf)[None] if single else np.asarray(leaf)
            return leaf[:, : segment.periods]

        def of_ticks(leaf: Any) -> np.ndarray:
            leaf = of_periods(leaf)[:, :, : segment.every]
            return leaf.reshape(leaf.shape[0], segment.ticks, *leaf.shape[3:])

        return life, (jax.tree.map(of_ticks, records), jax.tree.map(of_periods, infos))

    def reflect(self, life: tuple[Any, Mind]) -> tuple[tuple[Any, Mind], Info]:
        """Let the teacher reflect, if it can; its metrics have leaves [seeds]."""
        if not self._reflect:
            return life, {}
        state, mind = life
        teacher, info = self._reflect(mind.key, mind.clock, mind.teacher)
        single = self.life.seeds == 1
        return (state, replace(mind, teacher=teacher)), {
            name: np.asarray(value)[None] if single else np.asarray(value) for name, value in info.items()
        }

    def close(self) -> None:
        """End what the engine keeps running."""
        if isinstance(self.programs, Ticks):
            self.programs.close()

    def _reflecting(self, reflect: Callable[..., Any]) -> Callable[..., Any]:
        def one(key: jax.Array, clock: jax.Array, teacher: Any) -> tuple[Any, Info]:
            return reflect(keys.fold(jax.random.fold_in(key, clock), "reflect"), teacher)

        if not is_hosted(self.life.teacher):
            return jax.jit(one) if self.life.seeds == 1 else self.programs.compiled(one)
        if self.life.seeds == 1:
            return one

        def each(*arguments: Any) -> Any:
            rows = [one(*jax.tree.map(lambda leaf: leaf[seed], arguments)) for seed in range(self.life.seeds)]  # noqa: B023
            return jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *rows)

        return each

    def _key(self) -> jax.Array:
        """The key of the life, or those of all seeds."""
        if self.life.seeds == 1:
            return jax.random.key(self.life.seed)
        return jax.vmap(jax.random.key)(self.life.seed + np.arange(self.life.seeds))

    def _begun(self, key: jax.Array) -> tuple[Any, Mind]:
        """`begin` of one seed that is shown nothing, as a pure function."""
        assert isinstance(self.programs, Whole)
        return self.programs.opened(key, *self.body.create(key))

    def _opened_alone(self) -> tuple[Any, Mind]:
        """`begin` from Python, in one traceable piece: abstract float64 passed on would be rounded."""
        key, world = self._key(), self.life.world
        agent, teacher, task = self.body.create(key)
        state, step = (None, zeros_step(world.spec)) if world.spec.hosted else world.init(key, task)
        return state, self.body.open("random", key, agent, teacher, task, step)

    def _shapes(self) -> tuple[Any, Any, Any]:
        """The states of agent and teacher and the first tasks, abstract where the agent is pure; the world is tried too."""

        def tried() -> tuple[Any, Any, Any]:
            made = self.body.create(jax.random.key(0))
            if not self.life.world.spec.hosted:
                self.life.world.init(jax.random.key(0), made[2])
            return made

        return tried() if self.hosted_mind else jax.eval_shape(tried)


def _spec_of(world: World) -> WorldSpec:
    """The spec of a world; what it refuses, or lacks, is a `BadLife`."""
    try:
        spec = world.spec
    except (ValueError, ImportError) as error:
        raise BadLife(f"world: {error}") from error
    if spec.batch < 1:
        raise BadLife(f"world: batch={spec.batch} rows leave nothing to act in; it is at least 1")
    return spec


def _check_rhythm(rhythm: Rhythm) -> None:
    """Refuse a rhythm that stands still, or counts backwards."""
    least = {"chunk": 1, "learn_every": 1, "record_every": 1}
    for field in fields(rhythm):
        value, smallest = getattr(rhythm, field.name), least.get(field.name, 0)
        if value < smallest:
            raise BadLife(f"rhythm: {field.name}={value} must be at least {smallest}")
