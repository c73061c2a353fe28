"""An arm that practises a door: it is never reset, and a judge of its own says when it has succeeded."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import SAC, Conservative, Succeeded
from umwelt.behaviours.batch import Batch
from umwelt.claims.arms import Measure
from umwelt.claims.studies.offline import studied
from umwelt.core import Box, TimeStep, WorldSpec, keys, part, struct
from umwelt.networks import policies
from umwelt.worlds import Arm, stream
from umwelt.worlds.arm import WIDEST, handle
from umwelt.worlds.chores import towards
from umwelt.worlds.unreset import Unreset

SUCCESS = Measure(name="success", unit="share", better="up")
"""Episodes of the practice that end with the door as it was wished, mean over all of it."""
LATE = Measure(name="late", unit="share", better="up")
"""The same in the last third."""
FALSE = Measure(name="false", unit="share", better="down")
"""Moments of the practice in which the judge is wrong about success."""
WIDTH = 13
"""Numbers of an observation: the arm's twelve, and the wish."""


@struct
class DoorTask:
    """opens: float32 [], 1 to open the door, -1 to close it."""

    opens: Any


@part
class Door:
    """The door of `Arm`: to be opened or closed, and paid 1 in every moment in which it is as wished."""

    batch: int = 1
    time_limit: int = 40
    arm: Arm = Arm()

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        inner = self.arm.spec
        seen = Box(shape=(WIDTH,), low=(*inner.observation.low, -1.0), high=(*inner.observation.high, 1.0))
        return WorldSpec(
            name="door", observation=seen, action=inner.action, task=DoorTask(opens=Box(low=-1.0, high=1.0)), batch=self.batch
        )

    def tasks(self) -> dict[str, DoorTask]:
        """To open and to close."""
        return {"open": stream.numbers(DoorTask(opens=1.0)), "close": stream.numbers(DoorTask(opens=-1.0))}

    def begin(self, key: jax.Array, task: DoorTask) -> Any:
        """The arm as it begins, and the door anywhere."""
        body = self.arm.begin(key, None)  # type: ignore[arg-type]
        return replace(body, door=jax.random.uniform(keys.fold(key, "door"), (), maxval=WIDEST))

    def advance(self, key: jax.Array, body: Any, action: jax.Array, task: DoorTask) -> tuple[Any, jax.Array, jax.Array]:
        """Move as the arm does."""
        after, _, _ = self.arm.advance(key, body, action, self.arm.tasks()["open"])
        return after, done(after.door, task.opens).astype(jnp.float32), jnp.bool_(False)

    def observe(self, body: Any, task: DoorTask) -> jax.Array:
        """float32 [13]: what the arm shows, and the wish."""
        return jnp.append(self.arm.observe(body, None), task.opens)  # type: ignore[arg-type]

    def init(self, key: jax.Array, task: DoorTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: DoorTask) -> Any:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


def done(door: jax.Array, opens: jax.Array) -> jax.Array:
    """Whether doors [...] are as wished: nine tenths open, or a tenth."""
    return jnp.where(opens > 0, door > 0.9 * WIDEST, door < 0.1 * WIDEST)


def hand(seen: jax.Array) -> jax.Array:
    """What an expert does at observations [N, 13]: go to the handle, hold it, and pull it the right way. float32 [N, 3]."""

    def one(seen: jax.Array) -> jax.Array:
        here, door = seen[4:6], seen[7]
        near = jnp.sqrt(jnp.sum((here - handle(door)) ** 2)) < 0.08
        aim = jnp.where(near, handle(jnp.clip(door + 0.3 * seen[12], 0.0, WIDEST)), handle(door))
        return towards(seen, aim, jnp.where(near, 1.0, -1.0))

    return jax.vmap(one)(seen)


@part
class Unattended:
    """Study play and demonstrations, and practise without resets; a function of a key."""

    learner: SAC = SAC(
        units=64, discount=0.95, learning_rate=1e-3, conservative=Conservative(calibrated=True, draws=3, alpha=1.0)
    )
    judge: Succeeded | None = Succeeded(wrong=0.1)
    """What says whether a moment is a success; None for the truth."""
    demonstrations: int = 20
    play: int = 60
    """Episodes of an unsteady hand under other wishes, as many to open as to close."""
    studies: int = 6000
    """Updates before the practice; 0 to begin from scratch, without data."""
    practice: int = 6000
    """Decisions, with one update after each."""
    batch: int = 64
    """Rows that are drawn of the data, and as many of the practice."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Study, practise, and count successes: {measure: float32 []}."""
        showing, judging, beginning, studying, living = keys.split(key, "show", "judge", "begin", "study", "live")
        world = Door()
        shown = self.shown(showing, self.demonstrations, 0.1)
        data = jax.tree.map(
            lambda *leaves: jnp.concatenate(leaves), shown, self.shown(keys.fold(showing, "play"), self.play, 0.6)
        )
        acts: Any = policies.over(world.spec.action)
        verdict = self._verdict(judging, data, acts)
        data = self.valued(replace(data, reward=verdict(data)))
        state = self.learner.init(beginning, WIDTH, world.spec.action)
        if self.studies:
            state = studied(self.learner, state, data, studying, self.studies, 2 * self.batch)
        _, (won, right) = self.practised(living, state, data, verdict)
        third = won.shape[0] // 3
        return {"success": jnp.mean(won), "late": jnp.mean(won[-third:]), "false": 1.0 - jnp.mean(right)}

    def shown(self, key: jax.Array, episodes: int, noise: float) -> Batch:
        """The moments of a hand with that much noise, episode by episode: leaves [episodes * T, ...]."""
        world = Door(batch=episodes)
        wishing, beginning, rolling = keys.split(key, "wish", "begin", "roll")
        task = DoorTask(opens=jnp.where(jax.random.bernoulli(wishing, 0.5, (episodes,)), 1.0, -1.0))

        def tick(held: Any, key: jax.Array) -> tuple[Any, Any]:
            state, step = held
            action = hand(step.observation) + noise * jax.random.normal(key, (episodes, 3))
            action = jnp.clip(action, -1.0, 1.0)
            state, after = world.step(key, state, action, task)
            return (state, after), (step.observation, action, after.reward, after.observation)

        _, found = jax.lax.scan(tick, world.init(beginning, task), jax.random.split(rolling, world.time_limit))
        now, action, reward, after = (leaf.swapaxes(0, 1).reshape(-1, *leaf.shape[2:]) for leaf in found)
        ones = jnp.ones(reward.shape)
        return Batch(
            now=now, action=action, reward=reward, continues=ones, after=after, weight=ones, shown=ones > 0, to_come=reward
        )

    def valued(self, data: Batch) -> Batch:
        """The same moments with the discounted rewards to come; behind an episode's end its last reward goes on."""
        rewards = data.reward.reshape(-1, Door().time_limit)
        discount = self.learner.discount

        def back(later: jax.Array, paid: jax.Array) -> tuple[jax.Array, jax.Array]:
            total = paid + discount * later
            return total, total

        _, total = jax.lax.scan(back, rewards[:, -1] / (1.0 - discount), rewards.T, reverse=True)
        return replace(data, to_come=total.T.reshape(-1))

    def practised(self, key: jax.Array, state: Any, data: Batch, verdict: Any) -> Any:
        """The learner after practice, and of each decision [D]: whether the door is as wished at the end of an episode that ends
        here, NaN elsewhere, and whether the judge is right."""
        world = Unreset(world=Door())
        room = {
            "now": jnp.zeros((self.practice, WIDTH)),
            "after": jnp.zeros((self.practice, WIDTH)),
            "action": jnp.zeros((self.practice, 3)),
        }

        def wish(at: stream.StreamState) -> DoorTask:
            # forward and back: what is open is closed next
            return DoorTask(opens=jnp.where(at.body.door > 0.5 * WIDEST, -1.0, 1.0))

        def tick(held: Any, given: tuple[jax.Array, jax.Array]) -> tuple[Any, Any]:
            state, at, step, room = held
            key, number = given
            acting, moving, drawing, learning, again = keys.split(key, "act", "move", "draw", "learn", "again")
            action = self.learner.act(acting, state, step.observation, "explore")
            at, after = world.step(moving, at, action, wish(at))
            moment = {"now": step.observation, "after": after.observation, "action": action}
            room = jax.tree.map(lambda leaf, new: leaf.at[number].set(new[0]), room, moment)
            judged = verdict(self._lived(moment))
            # an episode that has ended begins again at once, so that every decision is a transition
            renewed, first = world.step(again, at, action, wish(at))
            at, next = jax.tree.map(lambda one, other: jnp.where(after.last[0], one, other), (renewed, first), (at, after))
            mine = jax.tree.map(lambda leaf: leaf[jax.random.randint(drawing, (self.batch,), 0, number + 1)], room)
            batch = self._lived(mine)
            batch = replace(batch, reward=verdict(batch))
            if self.studies:
                theirs = jax.random.randint(keys.fold(drawing, "shown"), (self.batch,), 0, data.weight.shape[0])
                both = jax.tree.map(lambda leaf: leaf[theirs], data)
                batch = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), both, batch)
            state = self.learner.learn(learning, state, batch)[0]
            won = jnp.where(after.last[0], after.reward[0], jnp.nan)
            return (state, at, next, room), (won, judged[0] == after.reward[0])

        begun = world.init(keys.fold(key, "init"), with_rows(DoorTask(opens=jnp.float32(1.0))))
        every = (jax.random.split(key, self.practice), jnp.arange(self.practice))
        held, (won, right) = jax.lax.scan(tick, (state, *begun, room), every)
        # an episode ends after every `time_limit` decisions
        limit = Door().time_limit
        return held[0], (won[limit - 1 :: limit], right.astype(jnp.float32))

    def _lived(self, moment: dict[str, jax.Array]) -> Batch:
        """Moments [N] of the practice, not yet judged."""
        ones = jnp.ones(moment["now"].shape[0])
        unknown = jnp.full_like(ones, jnp.nan)
        now, action, after = moment["now"], moment["action"], moment["after"]
        return Batch(
            now=now, action=action, after=after, reward=0 * ones, continues=ones, weight=ones, shown=ones < 0, to_come=unknown
        )

    def _verdict(self, key: jax.Array, shown: Batch, acts: Any) -> Any:
        """What writes rewards: a judge that has learned from all that is shown, or the truth."""
        if self.judge is None:
            return lambda batch: done(batch.after[:, 7], batch.after[:, 12]).astype(jnp.float32)
        judge = self.judge

        def lesson(state: Any, key: jax.Array) -> tuple[Any, None]:
            drawing, learning = keys.split(key, "draw", "learn")
            rows = jax.random.randint(drawing, (128,), 0, shown.weight.shape[0])
            return judge.learn(learning, state, jax.tree.map(lambda leaf: leaf[rows], shown), acts)[0], None

        state, _ = jax.lax.scan(lesson, judge.init(key, WIDTH, acts), jax.random.split(key, 1000))
        return lambda batch: judge.score(state, batch, acts)


def with_rows(task: DoorTask) -> DoorTask:
    """The task for one row."""
    return jax.tree.map(lambda leaf: leaf[None], task)
