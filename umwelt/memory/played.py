"""Episodes that a world's expert, or chance, plays in a pure world, as a source of shown experience."""

import dataclasses
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import SHOWN, Box, Discrete, Experience, TimeStep, WorldSpec, capability, keys, part, scan, select, spaces
from umwelt.core.contracts import World
from umwelt.memory.episodes import collect
from umwelt.memory.pieces import lay
from umwelt.memory.shown import watched
from umwelt.networks.form import form
from umwelt.networks.inside import with_batch

TICKS = 256
"""Decisions that the compiled program takes at once."""
KINDS = ("expert", "random", "mixed", "faint", "noisy")
NUMBERED = ("mixed", "faint")
"""What can act, and which of them a number follows."""
FAINT = 0.6
"""The share of the expert's action that a faint one keeps."""
LOUDEST = 0.5
"""The largest deviation of noise of "noisy"."""
LONGEST = 100_000
"""An episode that takes more decisions is taken for one without end."""


@part
class Played:
    """Shows episodes that are played in a pure world when they are asked for.

    They depend on the key alone, so each seed of a life is shown its own. The episodes are shared out evenly between the
    rows, so that short ones are not preferred.

    >>> from umwelt.worlds import Pendulum
    >>> source = Played(world=Pendulum(time_limit=20), how="random", episodes=2, batch=2)
    >>> pieces = list(source.read(jax.random.key(0), source.world.spec))
    >>> sum(int(piece.valid.sum()) for piece in pieces)
    40
    """

    world: World
    """The pure world, with its wrappers, of the same spaces as the life's."""
    how: str = "expert"
    """What acts. "expert": the world's own. "random". "mixed-0.3": that share of the episodes is expert, the rest random.
    "faint-0.3": 0.6 of the expert's action, with that much normal noise. "noisy": the expert, with noise between 0 and 0.5
    that each episode has for itself. All noise is in half-ranges of a Box."""
    episodes: int = 100
    """How many episodes."""
    noise: float = 0.0
    """Noise on the expert's actions: its standard deviation in half-ranges of a Box, or the chance of a random choice."""
    actions: bool = True
    """Show the actions. Without them the experience is WATCHED, and its actions are zeros."""
    batch: int = 16
    """Episodes that are played side by side."""
    tasks: tuple[str, ...] = ()
    """Names of the tasks that the episodes have in turn; empty for the world's default."""

    def read(self, key: jax.Array, spec: WorldSpec) -> Iterator[Experience]:
        """Yield pieces [T, spec.batch] of whole episodes laid end to end."""
        self.check(spec)
        steps, actions, tasks = self._play(key)
        played: dict[int, Experience] = {}
        for row in range(steps.kind.shape[1]):
            stream = jax.tree.map(lambda leaf: leaf[:, row : row + 1], (steps, actions, tasks))  # noqa: B023 - used at once
            _, found = collect(None, *stream)
            played |= {row + index * self._rows: one for index, one in enumerate(found)}
        episodes = [_shown(played[number], self.actions) for number in range(self.episodes)]
        yield from lay(episodes.__getitem__, [one.origin.size for one in episodes], spec.batch)

    @property
    def share(self) -> float:
        """The share of the episodes that the expert plays."""
        return {"random": 0.0, "mixed": self.amount}.get(self.kind, 1.0)

    @property
    def kind(self) -> str:
        """What acts, without its number: "expert", "random", "mixed", "faint" or "noisy"."""
        kind, _, number = self.how.partition("-")
        if kind not in KINDS or (kind in NUMBERED) != bool(number):
            raise ValueError(f"how={self.how!r}: it is one of 'expert', 'random', 'noisy', 'mixed-0.3' and 'faint-0.3'")
        return kind

    @property
    def amount(self) -> float:
        """The number behind the kind; 0 where it has none."""
        try:
            found = float(self.how.partition("-")[2] or "0") if self.kind in NUMBERED else 0.0
        except ValueError:
            found = -1.0
        if not 0.0 <= found <= 1.0:
            raise ValueError(f"how={self.how!r}: the number behind {self.kind!r} lies between 0 and 1")
        return found

    @property
    def _rows(self) -> int:
        return min(self.batch, self.episodes)

    def check(self, spec: WorldSpec) -> None:
        """Raise ValueError for settings that cannot be played, and for a life in another world than `world`."""
        found = self.world.spec
        if found.hosted:
            raise ValueError(f"world={found.name}: it is hosted, and Played rolls pure worlds; record episodes and show them")
        for name in ("episodes", "batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        for name in ("observation", "action"):
            one, other = form(getattr(found, name)), form(getattr(spec, name))
            if one != other:
                raise ValueError(
                    f"world={found.name}: its {name} space is {one.leaves}, where that of {spec.name} is {other.leaves};"
                    " give Played the world of the life, with the same wrappers"
                )
        if self.kind == "faint" and not isinstance(found.action, Box):
            raise ValueError(
                f"how={self.how!r}: a faint action needs a Box, and {found.name} has {found.action}; take 'mixed-0.5'"
            )
        if self.noise and self.kind in ("faint", "noisy"):
            raise ValueError(f"noise={self.noise}: how={self.how!r} has a noise of its own; leave noise=0")
        if self.share > 0:
            capability(self.world, "expert", required=f"how={self.how!r}")
        unknown = sorted(set(self.tasks) - set(self.world.tasks()))
        if unknown:
            raise ValueError(f"tasks: {found.name} has no {unknown}; its tasks are {sorted(self.world.tasks())}")

    def _play(self, key: jax.Array) -> tuple[TimeStep, Any, Any]:
        """Steps, actions and tasks [T, rows] in NumPy, in which each row has as many whole episodes as it is to have."""
        begin, roll = _programs(self)
        init_key, roll_key = keys.split(key, "init", "roll")
        wanted = np.bincount(np.arange(self.episodes) % self._rows, minlength=self._rows)
        carry, found, ended = begin(init_key), [], np.zeros(self._rows, np.int64)
        while np.any(ended < wanted):
            carry, chunk = roll(jax.random.fold_in(roll_key, len(found)), carry)
            found.append(jax.tree.map(np.asarray, chunk))
            ended += found[-1][0].last.sum(axis=0)
            if len(found) * TICKS > (ended.min() + 1) * LONGEST:
                raise ValueError(f"world={self.world.spec.name}: an episode has no end; give the world a time limit")
        return jax.tree.map(lambda *leaves: np.concatenate(leaves), *found)


Carry = tuple[Any, TimeStep, jax.Array]
"""The world's state, its last step, and the number of the episode of each row, int32 [rows]."""


@lru_cache(maxsize=8)
def _programs(played: Played) -> tuple[Callable[..., Carry], Callable[..., Any]]:
    """`begin(key) -> Carry`, and `roll(key, carry) -> (carry, (step, action, task) [TICKS, rows])`, compiled once."""
    world, rows = with_batch(played.world, played._rows), jnp.arange(played._rows)
    named = world.tasks()
    chosen = [named[name] for name in played.tasks] or [next(iter(named.values()))]
    kinds = jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *chosen)
    act = acting(played, world)

    def task(number: jax.Array) -> Any:
        return jax.tree.map(lambda leaf: leaf[number % len(chosen)], kinds)

    def begin(key: jax.Array) -> Carry:
        return *world.init(key, task(rows)), rows

    def tick(carry: Carry, key: jax.Array) -> tuple[Carry, Any]:
        state, step, number = carry
        act_key, step_key = keys.split(key, "act", "step")
        action = act(act_key, step.observation, task(number), number // len(chosen))
        state, after = world.step(step_key, state, action, task(number + played._rows))
        number = jnp.where(step.last, number + played._rows, number)
        return (state, after, number), (step, action, task(carry[2]))

    return jax.jit(begin), jax.jit(lambda key, carry: scan(tick, carry, jax.random.split(key, TICKS)))


def acting(played: Played, world: Any) -> Callable[[jax.Array, Any, Any, jax.Array], Any]:
    """Make what acts: (key, observation [rows], task [rows], number of the episode among those of its task) -> actions
    [rows]. world: that of `played`, in as many rows as episodes are played side by side."""
    space, share = world.spec.action, played.share
    expert = capability(world, "expert", required=f"how={played.how!r}") if share > 0 else None
    # spread evenly, and exactly the share of them all but for a fraction of one episode
    through = np.floor(np.arange(played.episodes + 1) * share + 1e-9)
    by_expert = through[1:] > through[:-1]

    def random(key: jax.Array, observation: Any) -> Any:
        return _random(key, space, played._rows, form(world.spec.observation).open(observation))

    def act(key: jax.Array, observation: Any, task: Any, number: jax.Array) -> Any:
        expert_key, random_key, noise_key = keys.split(key, "expert", "random", "noise")
        if expert is None:
            return random(random_key, observation)
        done = expert(expert_key, observation, task)
        if played.kind == "faint":
            done = _noisy(noise_key, space, FAINT * done, random(random_key, observation), played.amount)
        elif played.kind == "noisy":
            # multiples of the golden ratio are spread evenly, however many episodes there are
            noise = LOUDEST * (number * 0.61803399 % 1.0)
            done = _noisy(noise_key, space, done, random(random_key, observation), noise)
        elif played.noise > 0:
            done = _noisy(noise_key, space, done, random(random_key, observation), played.noise)
        if share == 1:
            return done
        return select(jnp.asarray(by_expert)[number % len(by_expert)], done, random(random_key, observation))

    return act


def _random(key: jax.Array, space: Any, rows: int, open: jax.Array | None) -> Any:
    """Uniform actions [rows]; of a Discrete space, those that are open."""
    if open is None or not isinstance(space, Discrete):
        return spaces.sample(key, space, rows)
    open = open | ~jnp.any(open, axis=1, keepdims=True)
    return jax.random.categorical(key, jnp.where(open, 0.0, -jnp.inf)).astype(jnp.int32)


def _noisy(key: jax.Array, space: Any, actions: Any, random: Any, noise: Any) -> Any:
    """Actions [rows] with noise, of all or [rows]: normal inside the bounds of a Box, and a random choice now and then."""
    flat, tree = jax.tree.flatten(space, is_leaf=spaces.is_leaf)
    made = []
    for index, (leaf, action, other) in enumerate(zip(flat, jax.tree.leaves(actions), jax.tree.leaves(random), strict=True)):
        here = keys.fold(key, f"leaf{index}")
        if isinstance(leaf, Box) and np.dtype(leaf.dtype).kind == "f":
            low, high = leaf.bounds
            half = np.where(np.isfinite(high) & np.isfinite(low), (high - low) / 2, 1.0)
            loud = jnp.reshape(noise, (-1, *(1,) * (action.ndim - 1)))
            drawn = action + loud * half * jax.random.normal(here, action.shape)
            made.append(jnp.clip(drawn, low, high).astype(leaf.dtype))
        else:
            swapped = jax.random.bernoulli(here, jnp.minimum(noise, 1.0), action.shape[:1])
            made.append(jnp.where(swapped.reshape(-1, *(1,) * (action.ndim - 1)), other, action))
    return jax.tree.unflatten(tree, made)


def _shown(episode: Experience, actions: bool) -> Experience:
    shown = dataclasses.replace(episode, origin=np.full_like(episode.origin, SHOWN))
    return shown if actions else watched(shown)
