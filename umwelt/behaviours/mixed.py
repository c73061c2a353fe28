"""An agent that learns which of several ways to explore it should follow now, and when to stop.

"LESSON: Learning to Integrate Exploration Strategies for Reinforcement Learning via an Option Framework" (2023). The
strategies are options: random actions, one action held, the best choice by the values of a bonus, and the best by the values
of the task. Values of the options are learned from reward and bonus together, off policy. So is when an option terminates.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import batch as batches
from umwelt.behaviours.batch import Batch, Learner, mean
from umwelt.behaviours.deep_q import DQN
from umwelt.behaviours.masks import admissible, drawn
from umwelt.behaviours.memories import empty, example
from umwelt.behaviours.rewarded import Rewarded
from umwelt.core import (
    DOUBT,
    LIVED,
    SURPRISE,
    WATCHED,
    Discrete,
    Experience,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    keys,
    part,
    spaces,
    static,
    struct,
)
from umwelt.core.contracts import Memory, Mode
from umwelt.networks import bonuses, layers
from umwelt.networks.form import Form, form, vectors
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import averaged, optimiser, stepped, where_any

RANDOM, HELD, CURIOUS, TASK = range(4)
"""The strategies, as the numbers of their options."""
STRATEGIES = 4
OPTION = Metric(name="option_of_the_task", unit="share", meaning="share of rows that follow the values of the task")
LOSS = Metric(name="option_loss", unit="squared reward", meaning="mean squared error of the options' values, before the update")


@struct
class Chooser:
    """values: stack, features -> the value of each option, and its target. ends: stack, features -> logits of terminating each
    option. optimiser: Optax's, of both stacks."""

    values: Stack
    target: Stack
    ends: Stack
    optimiser: Any


@struct
class MixedState:
    """task, curious: the learners' states. chooser: of the options. memory: None in a body for probes. choices: the same
    transitions with the option in the place of the action. option: int32 [B], in force. held: the action that HELD repeats,
    [B]. opens: bool [B], an episode begins. observation: leaves [B, ...], the last one."""

    task: Any
    curious: Any
    chooser: Chooser
    memory: Any
    choices: Any
    option: jax.Array
    held: Any
    opens: jax.Array
    observation: Any
    observation_form: Form = static()
    action_form: Form = static()


@part
class Mixed:
    """Acts by one of four strategies, which it chooses by values of its own; in a probe by the values of the task alone."""

    curious: Rewarded
    """Values of a bonus: a learner that is paid the bonus alone, `Rewarded(learner=DQN(), curiosity=..., instead=True)`."""
    memory: Memory
    """Where transitions are kept, once with their actions and once with their options."""
    task: Learner = DQN()
    """Values of the task."""
    only: tuple[int, ...] = (RANDOM, HELD, CURIOUS, TASK)
    """The strategies that there are to choose from."""
    even: bool = False
    """Choose evenly, and terminate with probability 0.1, in place of what was learned."""
    batch: int = 64
    """Transitions that one update of each learner samples."""
    units: int = 64
    """Width of the hidden layers of the options' values and ends."""
    learning_rate: float = 1e-3
    """Step size of Adam for both."""
    scale: float = 10.0
    """What the reward is multiplied by, for the values of options."""
    weight: float = 0.1
    """What the bonus is multiplied by there, in units of its running deviation."""

    cites = ("lesson_2023",)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the learners report, the loss of the options, and how many rows follow the task."""
        named = {metric.name: metric for metric in (*self.task.metrics, *self.curious.metrics)}
        return (SURPRISE, DOUBT, *named.values(), LOSS, OPTION)

    def init(self, key: jax.Array, spec: WorldSpec) -> MixedState:
        """Begin untrained, with an empty memory."""
        if not isinstance(spec.action, Discrete):
            raise ValueError(f"action space {spec.action!r}: Mixed follows strategies over choices; take a world with a Discrete")
        if not self.only or set(self.only) - set(range(STRATEGIES)):
            raise ValueError(f"only={self.only}: name some of the strategies 0 to {STRATEGIES - 1}")
        for_task, for_curious, for_chooser = keys.split(key, "task", "curious", "chooser")
        width, like = spaces.width(spec.observation), example(spec)
        rows = jnp.zeros(spec.batch, jnp.int32)
        return MixedState(
            task=self.task.init(for_task, width, spec.action),
            curious=self.curious.init(for_curious, width, spec.action),
            chooser=self._chooser(for_chooser, width),
            memory=empty(self.memory, like, (self.batch,)),
            choices=empty(self.memory, replace(like, action=rows), (self.batch,)),
            option=rows,
            held=rows,
            opens=rows == 0,
            observation=spaces.zeros(spec.observation, spec.batch),
            observation_form=vectors(spec.observation, self),
            action_form=form(spec.action),
        )

    def see(self, key: jax.Array, state: MixedState, step: TimeStep) -> tuple[MixedState, Info]:
        """Keep the observation to act on."""
        nothing = jnp.full(step.kind.shape, jnp.nan, jnp.float32)
        return replace(state, observation=step.observation, opens=step.first), {"surprise": nothing, "doubt": nothing}

    def act(self, key: jax.Array, state: MixedState, mode: Mode = "explore") -> tuple[MixedState, Any]:
        """Follow the option in force, or another one where it terminates; in a probe, the values of the task."""
        features = state.observation_form.flat(state.observation)
        open = admissible(state.observation_form, state.action_form, state.observation)
        if mode == "exploit":
            return state, self.task.act(key, state.task, features, mode, open)
        anything = drawn(keys.fold(key, "anything"), state.action_form, features.shape[0], open)
        if mode == "random":
            return replace(state, option=jnp.full_like(state.option, RANDOM)), anything
        ending, choosing, seeking, solving = keys.split(key, "end", "choose", "curious", "task")
        ends = jax.random.uniform(ending, state.option.shape) < self.ending(state.chooser, features, state.option)
        ends = ends | state.opens
        option = jnp.where(ends, jax.random.categorical(choosing, jnp.log(self.odds(state.chooser, features))), state.option)
        # what is held must still be admissible
        free = ends if open is None else ends | ~jnp.take_along_axis(open, state.held[:, None], axis=1)[:, 0]
        held = jnp.where(free, anything, state.held)
        by_option = (
            anything,
            held,
            self.curious.act(seeking, state.curious, features, "exploit", open),
            self.task.act(solving, state.task, features, "exploit", open),
        )
        action = jnp.select([option == number for number in range(STRATEGIES)], by_option)
        return replace(state, option=option.astype(jnp.int32), held=held), action

    def remember(self, key: jax.Array, state: MixedState, experience: Experience) -> tuple[MixedState, Info]:
        """Store the experience, and once more with the option that chose its action. What was shown has no option."""
        lived = jnp.where(experience.origin == LIVED, experience.origin, jnp.int8(WATCHED))
        chosen = replace(experience, action=state.option, origin=lived)
        share = jnp.broadcast_to(jnp.mean(state.option == TASK), state.option.shape)
        memory, choices = self.memory.add(key, state.memory, experience), self.memory.add(key, state.choices, chosen)
        return replace(state, memory=memory, choices=choices), {"option_of_the_task": share}

    def learn(self, key: jax.Array, state: MixedState) -> tuple[MixedState, Info]:
        """Update the values of task, bonus and options once each."""
        sampling, picking, solving, seeking, paying = keys.split(key, "sample", "pick", "task", "curious", "pay")
        batch = self._sampled(sampling, state, state.memory)
        task, found = self.task.learn(solving, state.task, batch)
        curious, sought = self.curious.learn(seeking, state.curious, batch)
        state = replace(state, task=task, curious=curious)
        chosen = self._sampled(picking, state, state.choices)
        chooser, loss = self.improved(state.chooser, replace(chosen, reward=self._worth(paying, state, chosen)))
        return replace(state, chooser=chooser), {**sought, **found, "option_loss": loss}

    def embody(self, key: jax.Array, state: MixedState, spec: WorldSpec) -> MixedState:
        """Put the same values into spec.batch rows, without memory."""
        rows = jnp.zeros(spec.batch, jnp.int32)
        body = {"option": rows, "held": rows, "opens": rows == 0, "observation": spaces.zeros(spec.observation, spec.batch)}
        return replace(state, memory=None, choices=None, **body)

    def imagine(self, key: jax.Array, state: MixedState, actions: Any) -> Prediction | None:
        """Return None: it has no model."""
        return None

    def odds(self, chooser: Chooser, features: jax.Array) -> jax.Array:
        """The probability of each option for features [N, F]: softmax of 50 values over the largest, cut to 0.05 to 0.95."""
        values = layers.apply(chooser.values, features, jax.nn.relu)
        known = jnp.isin(jnp.arange(STRATEGIES), jnp.asarray(self.only))
        largest = jnp.maximum(jnp.max(jnp.abs(values), axis=1, keepdims=True), 1e-6)
        softened = jax.nn.softmax(jnp.where(known, 50.0 * values / largest, -jnp.inf), axis=1)
        cut = jnp.where(known, jnp.clip(softened, 0.05, 0.95), 0.0)
        cut = known.astype(jnp.float32) * jnp.ones_like(cut) if self.even else cut
        return cut / jnp.sum(cut, axis=1, keepdims=True)

    def ending(self, chooser: Chooser, features: jax.Array, option: jax.Array) -> jax.Array:
        """The probability that options [N] terminate at features [N, F], cut to 0.1 to 0.9."""
        if self.even:
            return jnp.full(option.shape, 0.1)
        logits = _of(layers.apply(chooser.ends, features, jax.nn.relu), option)
        return jnp.clip(jax.nn.sigmoid(logits), 0.1, 0.9)

    def improved(
        self, chooser: Chooser, batch: Batch, ending: Callable[..., jax.Array] | None = None
    ) -> tuple[Chooser, jax.Array]:
        """Update the chooser once; the actions of the batch are options. Also the loss of its values.

        ending: in the place of what is learned, a function of features [N, F] and options [N].
        """
        batch = batches.wiped(batch)
        after = layers.apply(chooser.target, batch.after, jax.nn.relu)
        known = jnp.isin(jnp.arange(STRATEGIES), jnp.asarray(self.only))
        best = jnp.max(jnp.where(known, after, -jnp.inf), axis=1)
        stays, ends = _of(after, batch.action), (ending or partial_ending(self, chooser))(batch.after, batch.action)
        wanted = batch.reward + self.task.discount * batch.continues * ((1.0 - ends) * stays + ends * best)
        gap = best - stays

        def miss(stacks: tuple[Stack, Stack]) -> tuple[jax.Array, jax.Array]:
            loss = mean((_of(layers.apply(stacks[0], batch.now, jax.nn.relu), batch.action) - wanted) ** 2, batch.weight)
            leaving = jax.nn.sigmoid(_of(layers.apply(stacks[1], batch.after, jax.nn.relu), batch.action))
            # an option terminates less where it is better than options are on the mean
            return loss + mean(leaving * (mean(gap, batch.weight) - gap), batch.weight), loss

        stacks = (chooser.values, chooser.ends)
        (_, loss), gradient = jax.value_and_grad(miss, has_aux=True)(stacks)
        (values, leaving), optimised = stepped(optimiser(self.learning_rate), gradient, chooser.optimiser, stacks)
        target = averaged(values, chooser.target, 0.01)
        moved = Chooser(values=values, target=target, ends=leaving, optimiser=optimised)
        return where_any(batch.weight, moved, chooser), loss

    def _chooser(self, key: jax.Array, width: int) -> Chooser:
        """Begin with equal options, and ends with probability 0.5."""
        for_values, for_ends = keys.split(key, "values", "ends")
        widths = (width, self.units, self.units, STRATEGIES)
        values, ends = (layers.stack(each, widths, scale=0.01, normed=False) for each in (for_values, for_ends))
        target = jax.tree.map(jnp.copy, values)
        return Chooser(values=values, target=target, ends=ends, optimiser=optimiser(self.learning_rate).init((values, ends)))

    def _sampled(self, key: jax.Array, state: MixedState, memory: Any) -> Batch:
        return batches.of(state.observation_form, state.action_form, self.memory.sample(key, memory, (self.batch,)))

    def _worth(self, key: jax.Array, state: MixedState, chosen: Batch) -> jax.Array:
        """The reward of options [N]: that of the world, and the bonus of today's signal in its unit."""
        unknown = jnp.zeros((chosen.now.shape[0], state.action_form.width), jnp.float32)
        moment = bonuses.moment(chosen.now, unknown, chosen.after, chosen.weight)
        raw = self.curious.curiosity.bonus(key, state.curious.curiosity, moment)
        bonus = bonuses.in_unit(state.curious.unit, jnp.where(chosen.weight > 0, raw, 0.0))
        return self.scale * chosen.reward + self.weight * bonus


def partial_ending(agent: Mixed, chooser: Chooser) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """The learned probability of terminating, as a function of features and options."""
    return lambda features, option: agent.ending(chooser, features, option)


def _of(values: jax.Array, option: jax.Array) -> jax.Array:
    """The value [N] of options [N] among values [N, options]."""
    return jnp.take_along_axis(values, option[:, None].astype(jnp.int32), axis=1)[:, 0]
