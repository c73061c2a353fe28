"""A world whose inside is a student: to act is to choose what the next data for a small classifier are about.

"DataEnvGym: Data Generation Agents in Teacher Environments with Student Feedback" (ICLR 2025). A skill is a digit in a style.
The student keeps all data that it was ever given, and learns from them. There are three levels of structure: single examples,
skills, and a tree of skills.
"""

from functools import lru_cache
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, TimeStep, WorldSpec, keys, part, struct
from umwelt.networks import layers
from umwelt.networks.optimise import optimiser, stepped
from umwelt.worlds import stream
from umwelt.worlds.card_sets import digits

STYLES = ("plain", "negative", "turned", "mirrored")
SKILLS = 10 * len(STYLES)
"""Skill 4 d + s is digit d in style s."""
DATA, EXAMPLES, HELD_OUT = 100, 10, 30
"""Pictures of a digit that data are made of, those that the student's errors are shown on, and those that the reward counts."""


@struct
class StudentTask:
    """taught: float32 [40], 1 for each skill that the student was taught before, else 0."""

    taught: Any


@struct
class StudentBody:
    """network: the classifier, a stack, with Optax's state. data: float32 [40], examples of each skill so far. first: int32
    [10], where the data of each digit begin. wrong: float32 [40, 10], 1 for each shown example that it gets wrong. share:
    float32 [], held-out pictures that it gets right."""

    network: Any
    optimised: Any
    data: jax.Array
    first: jax.Array
    wrong: jax.Array
    share: jax.Array


@part
class Student:
    """Choose which data a small classifier of digits gets next; what it gains on held-out pictures is the reward.

    >>> Student(shows="tree").spec.action.n  # the root, ten digits, and forty skills
    51
    """

    batch: int = 1
    """Students beside each other."""
    time_limit: int = 200
    """Decisions after which an episode is truncated."""
    shows: Literal["examples", "skills", "tree"] = "skills"
    """What errors are shown of, and what data are asked for: like one of 400 examples, of one of 40 skills, or of all skills
    below a node of a tree."""
    amount: float = 1.0
    """Examples that a decision adds."""
    before: float = 20.0
    """Examples of each skill that was taught before."""
    updates: int = 5
    """Updates of the student after each decision; it begins with a hundred times as many."""
    rows: int = 32
    """Examples of an update, drawn evenly from all data so far."""
    units: int = 64
    """Units of the classifier's hidden layer."""
    learning_rate: float = 1e-3
    """Step size of Adam."""

    cites = ("dataenvgym_2025",)

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        number = len(self.below())
        return WorldSpec(
            name="student",
            observation=Box(shape=(number,), low=0.0, high=1.0),
            action=Discrete(n=number),
            task=StudentTask(taught=Box(shape=(SKILLS,), low=0.0, high=1.0)),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, StudentTask]:
        """Named tasks: students that know half of the digits, half of the styles, or nothing."""
        digit, style = np.arange(SKILLS) // len(STYLES), np.arange(SKILLS) % len(STYLES)
        taught = {"half_of_the_digits": digit < 5, "half_of_the_styles": style < 2, "nothing": digit < 0}
        return {name: stream.numbers(StudentTask(taught=each)) for name, each in taught.items()}

    def below(self) -> np.ndarray:
        """Which skills each choice adds data of, as shares: float32 [choices, 40]."""
        each = np.eye(SKILLS, dtype=np.float32)
        if self.shows == "examples":
            return np.repeat(each, EXAMPLES, axis=0)
        if self.shows == "skills":
            return each
        if self.shows == "tree":
            by_digit = np.repeat(np.eye(10, dtype=np.float32), len(STYLES), axis=1) / len(STYLES)
            return np.concatenate([np.full((1, SKILLS), 1.0 / SKILLS, np.float32), by_digit, each])
        raise ValueError(f"shows={self.shows!r}: it is 'examples', 'skills' or 'tree'")

    def begin(self, key: jax.Array, task: StudentTask) -> StudentBody:
        """A student that has learned what it was taught before."""
        drawing, placing, learning = keys.split(key, "network", "data", "learn")
        network = layers.stack(drawing, (64, self.units, 10), normed=False)
        data = self.before * jnp.round(task.taught)
        first = jax.random.randint(placing, (10,), 0, DATA)
        held = network, optimiser(self.learning_rate).init(network)
        network, optimised = self._learned(learning, held, data, first, 100 * self.updates)
        return self._examined(network, optimised, data, first)

    def advance(
        self, key: jax.Array, body: StudentBody, action: jax.Array, task: StudentTask
    ) -> tuple[StudentBody, jax.Array, jax.Array]:
        """Give the student data, let it learn, and examine it. The reward is what it gains, in percent."""
        data = body.data + self.amount * jnp.asarray(self.below())[action]
        network, optimised = self._learned(key, (body.network, body.optimised), data, body.first, self.updates)
        after = self._examined(network, optimised, data, body.first)
        return after, 100.0 * (after.share - body.share), jnp.bool_(False)

    def observe(self, body: StudentBody, task: StudentTask) -> jax.Array:
        """float32 [choices]: the share of shown examples that the student gets wrong, of each choice."""
        if self.shows == "examples":
            return body.wrong.reshape(-1)
        return jnp.asarray(self.below()) @ jnp.mean(body.wrong, axis=1)

    def expert(self, key: jax.Array, observation: jax.Array, task: Any = None) -> jax.Array:
        """Choose where errors are most frequent, int32 [N]; at random among equals. Of a tree it looks at the leaves."""
        leaves = observation.shape[1] - (SKILLS if self.shows == "tree" else observation.shape[1])
        noise = 1e-3 * jax.random.uniform(key, observation.shape)
        return leaves + jnp.argmax((observation + noise)[:, leaves:], axis=1).astype(jnp.int32)

    def init(self, key: jax.Array, task: StudentTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: StudentTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)

    def _learned(self, key: jax.Array, held: Any, data: jax.Array, first: jax.Array, updates: int) -> Any:
        """The classifier after so many updates; without data it stays as it is."""
        pictures = jnp.asarray(styled()[0])
        some = jnp.sum(data) > 0
        # a skill whose share of an example is small is drawn as seldom
        odds = jnp.log(jnp.where(some, data, 1.0))

        def update(held: Any, key: jax.Array) -> tuple[Any, None]:
            choosing, drawing = jax.random.split(key)
            skill = jax.random.categorical(choosing, odds, shape=(self.rows,))
            # the examples of a skill are the first pictures of its digit, in each style from another one on
            which = jnp.floor(jax.random.uniform(drawing, (self.rows,)) * jnp.ceil(data[skill])).astype(jnp.int32)
            digit, style = skill // len(STYLES), skill % len(STYLES)
            shown = pictures[skill, (first[digit] + style * (DATA // len(STYLES)) + which) % DATA]

            def miss(network: Any) -> jax.Array:
                said = jax.nn.log_softmax(layers.apply(network, shown, jax.nn.relu))
                return -jnp.mean(jnp.take_along_axis(said, digit[:, None], axis=1))

            network, optimised = held
            after = stepped(optimiser(self.learning_rate), jax.grad(miss)(network), optimised, network)
            return jax.tree.map(lambda new, old: jnp.where(some, new, old), after, held), None

        return jax.lax.scan(update, held, jax.random.split(key, updates))[0]

    def _examined(self, network: Any, optimised: Any, data: jax.Array, first: jax.Array) -> StudentBody:
        """Count the errors of a classifier."""
        digit = jnp.arange(SKILLS)[:, None] // len(STYLES)

        def misses(pictures: np.ndarray) -> jax.Array:
            said = layers.apply(network, jnp.asarray(pictures).reshape(-1, 64), jax.nn.relu)
            return (jnp.argmax(said, axis=1).reshape(SKILLS, -1) != digit).astype(jnp.float32)

        _, shown, held_out = styled()
        right = 1.0 - jnp.mean(misses(held_out))
        return StudentBody(network=network, optimised=optimised, data=data, first=first, wrong=misses(shown), share=right)


@lru_cache(maxsize=1)
def styled() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pictures of each skill, float32 [40, n, 64]: DATA for data, EXAMPLES to show errors on, HELD_OUT for the reward."""
    pictures, table, _ = digits()
    numbers = (table[0, :, :DATA], table[0, :, DATA : DATA + EXAMPLES], table[1, :, :HELD_OUT])

    def drawn(which: np.ndarray) -> np.ndarray:
        plain = pictures[which]
        ways = [plain, -plain, np.rot90(plain, axes=(2, 3)), plain[..., ::-1]]
        return np.stack(ways, axis=1).reshape(SKILLS, which.shape[1], 64).astype(np.float32)

    return drawn(numbers[0]), drawn(numbers[1]), drawn(numbers[2])
