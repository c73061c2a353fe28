"""Lessons of cards in sequence, and what is left of them: the study of all claims about supervised retention."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.pupil import Pupil
from umwelt.claims.arms import Computed, Measure
from umwelt.core import keys, lived, part
from umwelt.memory import Lifelong
from umwelt.worlds.card_sets import Digits
from umwelt.worlds.card_streams import names, permuted, split, turned
from umwelt.worlds.cards import HELD_OUT, Cards

ACCURACY = Measure(name="accuracy", unit="share", better="up")
"""Right answers to held-out cards of all lessons, at the end."""
FORGETTING = Measure(name="forgetting", unit="share", better="down")
"""Accuracy right after the own lesson minus that at the end, mean of all lessons but the last."""
NEWEST = Measure(name="newest", unit="share", better="up")
"""Accuracy on each lesson right after it, mean of the last quarter of all lessons."""
KEPT = Measure(name="kept", unit="share", better="up")
"""Accuracy on the first lesson when the last one is first passed; NaN where it never is."""

TUNED = tuple(range(100, 106))
"""Seeds on which settings of claims about cards were chosen."""


@part
class Schooled:
    """One pupil's life through lessons in order; a function of a key."""

    world: Cards
    """Its rows are the cards of one tick, each followed by one update."""
    agent: Pupil
    order: tuple[str, ...]
    """The lesson of each block; a name may return."""
    episodes: int = 4
    """Episodes of each row in a block."""
    examined: int = 200
    """Held-out cards of each lesson in an exam."""
    passed: float = 0.9
    """The accuracy at which a lesson counts as passed."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live through all blocks: {measure: float32 []}."""
        beginning, living, ending = keys.split(key, "begin", "live", "end")
        spec, tasks = self.world.spec, self.world.tasks()
        names = tuple(dict.fromkeys(self.order))
        blocks = _stacked([tasks[name] for name in self.order])
        agent = self.agent.init(beginning, spec)
        first = jax.tree.map(lambda leaf: leaf[0], blocks)
        state, step = self.world.init(keys.fold(beginning, "world"), _rows(first, spec.batch))
        agent, _ = self.agent.see(beginning, agent, step)
        ends = [tasks[self.order[index] + HELD_OUT] for index in (0, -1)]

        def block(life: Any, given: Any) -> tuple[Any, jax.Array]:
            key, task, following = given
            for_life, for_exam = keys.split(key, "life", "exam")
            life = self._lived(for_life, life, task, following)
            return life, self._marks(for_exam, life[1], [replace(task, held_out=jnp.int32(1)), *ends])

        following = jax.tree.map(lambda leaf: jnp.concatenate([leaf[1:], leaf[-1:]]), blocks)
        given = (jax.random.split(living, len(self.order)), blocks, following)
        (_, agent, _), marks = jax.lax.scan(block, (state, agent, step), given)
        final = self._marks(ending, agent, [tasks[name + HELD_OUT] for name in names])
        return self._measured(names, marks, final)

    def _lived(self, key: jax.Array, life: Any, task: Any, following: Any) -> Any:
        """Live one block of whole episodes; its last step shows the first card of the task that is `following`."""
        ticks = self.episodes * (self.world.time_limit + 1)

        def tick(life: Any, given: Any) -> tuple[Any, None]:
            key, index = given
            begun = jax.tree.map(lambda now, then: jnp.where(index == ticks - 1, then, now), task, following)
            acting, stepping, seeing, keeping, learning = keys.split(key, "act", "step", "see", "remember", "learn")
            state, agent, step = life
            agent, action = self.agent.act(acting, agent)
            state, next = self.world.step(stepping, state, action, _rows(begun, self.world.batch))
            agent, seen = self.agent.see(seeing, agent, next)
            experience = lived(step, action, next, task=state.task, surprise=seen["surprise"])
            agent, _ = self.agent.remember(keeping, agent, experience)
            agent, _ = self.agent.learn(learning, agent)
            return (state, agent, next), None

        return jax.lax.scan(tick, life, (jax.random.split(key, ticks), jnp.arange(ticks)))[0]

    def _marks(self, key: jax.Array, agent: Any, tasks: list[Any]) -> jax.Array:
        """The share of right answers in each of K tasks: float32 [K]."""
        rows = self.examined * len(tasks)
        world = replace(self.world, batch=rows)
        asked = jax.tree.map(lambda leaf: jnp.repeat(leaf, self.examined, axis=0), _stacked(tasks))
        state, step = world.init(key, asked)
        body, _ = self.agent.see(key, self.agent.embody(key, agent, world.spec), step)
        _, action = self.agent.act(key, body, "exploit")
        return jnp.mean((action == state.body.truth).reshape(len(tasks), -1), axis=1)

    def _measured(self, names: tuple[str, ...], marks: jax.Array, final: jax.Array) -> dict[str, jax.Array]:
        """Measures from the marks [blocks, 3] of the own, the first and the last lesson, and the final ones [lessons]."""
        last = {name: index for index, name in enumerate(self.order)}
        after = marks[jnp.array([last[name] for name in names]), 0]
        passed = marks[:, 2] >= self.passed
        kept = jnp.where(jnp.any(passed), marks[jnp.argmax(passed), 1], jnp.nan)
        return {
            "accuracy": jnp.mean(final),
            "forgetting": jnp.mean(after[:-1] - final[:-1]),
            "newest": jnp.mean(marks[-max(1, len(self.order) // 4) :, 0]),
            "kept": kept,
        }


def _stacked(tasks: list[Any]) -> Any:
    return jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *tasks)


def _rows(task: Any, batch: int) -> Any:
    return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (batch, *jnp.shape(leaf))), task)


HUNDRED = 73_796
"""Bytes of a memory that holds 100 digits, beside the 16 under way."""
SPLIT = Computed(
    function=Schooled(
        world=Cards(batch=16, time_limit=16, cards=Digits(), lessons=split(10)),
        agent=Pupil(memory=Lifelong(bytes=HUNDRED), rehearsed=16),
        order=names(split(10)),
        episodes=13,
    ),
    measures=(ACCURACY, FORGETTING, NEWEST),
    together=True,
)
"""Digits, two classes after two others, each card about twelve times; 16 new cards and 16 from memory in each update."""
PERMUTED = Computed(
    function=Schooled(
        world=Cards(batch=16, time_limit=16, cards=Digits(), lessons=permuted(5)),
        agent=Pupil(),
        order=names(permuted(5)),
        episodes=12,
    ),
    measures=(ACCURACY, FORGETTING, NEWEST),
    together=True,
)
"""Digits under five orders of their pixels, 192 updates each, without a memory."""
TURNED = Computed(
    function=Schooled(
        world=Cards(batch=16, time_limit=16, cards=Digits(), lessons=turned(2)),
        agent=Pupil(),
        order=("t0",) * 20 + ("t1",) * 40,
        episodes=2,
    ),
    measures=(KEPT, ACCURACY, NEWEST),
    together=True,
)
"""Digits upright for 640 updates, then turned by 90 degrees for 1,280, without a memory; an exam after each 32."""
MANY = Computed(
    function=Schooled(
        world=Cards(batch=16, time_limit=16, cards=Digits(), lessons=permuted(80)),
        agent=Pupil(units=(64, 64), learning_rate=3e-3),
        order=names(permuted(80)),
        episodes=4,
        examined=100,
    ),
    measures=(NEWEST,),
    together=True,
)
"""Digits under eighty orders of their pixels, 64 updates each."""
