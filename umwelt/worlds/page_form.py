"""Simulate a page with fields to fill and an instruction that says with what."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, TimeStep, WorldSpec, keys, part, struct
from umwelt.worlds import stream

ANY = -1
"""In an instruction, a value that each episode draws for itself; on a page, a field that is empty."""


@struct
class PageTask:
    """instruction: int32 [fields], the value that each field should have, ANY for one that is drawn. done: float32 [], the
    chance of each field to be filled rightly from the start."""

    instruction: Any
    done: Any


@struct
class PageBody:
    """instruction, page: int32 [fields], what should stand in each field and what does, ANY where it is empty."""

    instruction: jax.Array
    page: jax.Array


@part
class Page:
    """Fill the fields of a page as the instruction says, and submit it; only a right page that is submitted pays.

    The choices are (field, value), in the order of fields, and at last to submit.

    >>> page = Page(fields=2, values=3)
    >>> body = PageBody(instruction=jnp.array([2, 0]), page=jnp.array([2, -1]))
    >>> for action in (3, 6):
    ...     body, reward, ended = page.advance(jax.random.key(0), body, jnp.int32(action), None)
    >>> float(reward), bool(ended)
    (1.0, True)
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 12
    """Decisions after which an episode is truncated."""
    fields: int = 6
    """Fields of the page."""
    values: int = 8
    """Values that a field may have."""
    shaping: float = 0.0
    """Pays for the share of fields that are right, as a difference of potentials, so that the best policy stays best."""
    discount: float = 0.99
    """The discount of that potential: the learner's."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        bits = Box(shape=(self.fields, self.values), low=0, high=1, dtype="uint8")
        instruction = Box(shape=(self.fields,), low=ANY, high=self.values - 1, dtype="int32")
        return WorldSpec(
            name="page",
            observation={"instruction": bits, "page": bits},
            action=Discrete(n=self.fields * self.values + 1),
            task=PageTask(instruction=instruction, done=Box(low=0.0, high=1.0)),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, PageTask]:
        """Named tasks: an instruction that is drawn, on an empty page, and on one that is half done."""
        drawn = np.full(self.fields, ANY, np.int32)
        return {
            "empty": PageTask(instruction=drawn, done=np.float32(0.0)),
            "half": PageTask(instruction=drawn, done=np.float32(0.5)),
        }

    def begin(self, key: jax.Array, task: PageTask) -> PageBody:
        """Draw what the task leaves open of the instruction, and the fields that are filled from the start."""
        writing, filling = keys.split(key, "instruction", "done")
        drawn = jax.random.randint(writing, (self.fields,), 0, self.values)
        instruction = jnp.where(task.instruction < 0, drawn, task.instruction).astype(jnp.int32)
        done = jax.random.uniform(filling, (self.fields,)) < task.done
        return PageBody(instruction=instruction, page=jnp.where(done, instruction, ANY))

    def advance(self, key: jax.Array, body: PageBody, action: jax.Array, task: PageTask) -> tuple[PageBody, jax.Array, jax.Array]:
        """Write a value into a field, or submit the page."""
        submits = action == self.fields * self.values
        field, value = action // self.values, action % self.values
        # the number of a field that is not there is dropped
        page = body.page.at[jnp.where(submits, self.fields, field)].set(value, mode="drop")
        after = PageBody(instruction=body.instruction, page=page)
        reward = self._paid(body.instruction == body.page, body.instruction == page, submits)
        return after, reward, submits

    def _paid(self, before: jax.Array, after: jax.Array, submits: jax.Array) -> jax.Array:
        """float32 [...]: the reward, from which fields [..., fields] were right before and are right after."""
        potential = jnp.where(submits, 0.0, self.discount * jnp.mean(after, axis=-1)) - jnp.mean(before, axis=-1)
        return (submits & jnp.all(before, axis=-1)).astype(jnp.float32) + self.shaping * potential

    def observe(self, body: PageBody, task: PageTask) -> dict[str, jax.Array]:
        """Instruction and page, uint8 [fields, values] each: one-hot, and zeros in an empty field."""
        return {"instruction": self._bits(body.instruction), "page": self._bits(body.page)}

    def reward(self, observation: Any, action: jax.Array, next_observation: Any, task: Any = None) -> jax.Array:
        """The reward float32 [N] of a transition of rows [N]."""
        right = [jnp.all(seen["instruction"] == seen["page"], axis=-1) for seen in (observation, next_observation)]
        return self._paid(right[0], right[1], action == self.fields * self.values)

    def continues(self, observation: Any, action: jax.Array, next_observation: Any, task: Any = None) -> jax.Array:
        """The probability float32 [N] that the episode continues: 0 where the page is submitted."""
        return (action != self.fields * self.values).astype(jnp.float32)

    def achieved(self, observation: Any) -> jax.Array:
        """The instruction that each page would fulfil, int32 [N, fields]; ANY where a field is empty."""
        page = observation["page"]
        return jnp.where(jnp.any(page > 0, axis=-1), jnp.argmax(page, axis=-1), ANY).astype(jnp.int32)

    def posed(self, observation: Any, goal: jax.Array) -> Any:
        """The same pages under other instructions int32 [N, fields]."""
        return observation | {"instruction": self._bits(goal)}

    def expert(self, key: jax.Array, observation: Any, task: Any = None) -> jax.Array:
        """Actions [N]: fill the first field that is not right, and submit where all are."""
        wrong = jnp.any(observation["instruction"] != observation["page"], axis=-1)
        field = jnp.argmax(wrong, axis=-1)
        value = jnp.take_along_axis(jnp.argmax(observation["instruction"], axis=-1), field[:, None], axis=1)[:, 0]
        filled = field * self.values + value
        return jnp.where(jnp.any(wrong, axis=-1), filled, self.fields * self.values).astype(jnp.int32)

    def _bits(self, numbers: jax.Array) -> jax.Array:
        return jax.nn.one_hot(numbers, self.values, dtype=jnp.uint8)

    def init(self, key: jax.Array, task: PageTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: PageTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)
