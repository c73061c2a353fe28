"""Losse: an online linear world model that follows the leader, and so does not forget.

"Locality sensitive sparse encoding for learning world models online" (ICLR 2024), and the online agent
built on it (ICML 2025). The change of the observation is linear in a very wide, sparse, frozen encoding
of observation and action. The sums A = sum phi phi^T and B = sum phi y^T hold everything that the model ever
observed, in any order. The weights follow from them after each transition: nothing is sampled, rehearsed or forgotten.

Where we differ from the paper: the ridge is fixed (theirs grows with time in the code and not in the
text), statistics are float64, and the default solver is exact (theirs, `Block`, is one step of block descent).
"""

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import DOUBT, SURPRISE, Experience, Info, Metric, Prediction, TimeStep, WorldSpec, keys, part, static, struct
from umwelt.models.linear import sums
from umwelt.models.linear.encoder import Encoder
from umwelt.models.linear.intake import Queue, Standard, measure
from umwelt.models.linear.solvers import Block, Exact
from umwelt.networks.form import Form, form, vectors

LEADER_DISTANCE = Metric(
    name="leader_distance",
    unit="standard units of the target, times feature values",
    meaning="largest slope left at the weights, max|G - ridge W|: 0 at the ridge regression on everything seen",
    better="down",
)
STATISTICS_BYTES = Metric(name="statistics_bytes", unit="bytes", meaning="size of A, the sum of phi phi^T", better="down")
TRANSITIONS = Metric(name="transitions", unit="transitions", meaning="how many the model has learned from", better="up")


@struct
class LosseState:
    """One linear world model.

    projection: float32 [width, grids * axes], one row more where the encoder has groups. table: what imagination
    reads, float32, one row for each cell. line: float32 [width, outputs], the weights of plain inputs; None without them.
    statistics: A, B, G, W. memo: what the solver keeps.
    """

    projection: jax.Array
    standard: Standard
    queue: Queue
    statistics: sums.Statistics
    memo: Any
    table: jax.Array
    line: Any = None
    observation_form: Form = static()
    action_form: Form = static()


@part
class Losse:
    """The online linear world model. Its belief is the last observation, flat: float32 [N, width].

    >>> from umwelt.worlds import Pendulum
    >>> model, key = Losse(), jax.random.key(0)
    >>> state = model.init(key, Pendulum().spec)

    >>> _, expected = jax.jit(model.imagine)(key, state, model.start(state, 1), jnp.zeros((1, 1)))
    >>> float(expected.doubt[0])  # it has seen nothing
    1.0
    """

    encoder: Encoder = Encoder()
    """The frozen features."""
    linear: bool = False
    """Give the model its inputs as plain features beside the sparse ones. Where the world is nearly linear, as a tool that
    follows its command, it then needs far less data."""
    solver: Exact | Block = Exact()
    """How the weights follow the statistics: exactly, or one block at a time as in the paper."""
    ridge: float = 1e-2
    """Penalty on the weights in standard units, fixed for a life; below 1e-2 it amplifies rounding. Where outcomes are noisy
    and a wide layer has few transitions, raise it with `encoder.grids`. Where they are exact, a higher one only adds error."""
    warm_up: int = 100
    """Transitions that set the standard units. They wait, and are then learned from in order."""
    known_bounds: bool = True
    """Standardise bounded inputs by their bounds; False measures them in the warm-up like the others."""
    polish_every: int = 0
    """Transitions between two polishings of the weights by conjugate gradients; 0 for never."""
    polish_iterations: int = 20
    """Conjugate gradient iterations of one polishing, each as costly as reading A once."""
    doubt_in_imagination: Literal["exact", "diagonal", "none"] = "diagonal"
    """The doubt that planners see: exact is slow (K**2 reads a row), diagonal free, none is 0."""
    reward: Callable[[Any, Any, Any], jax.Array] | None = None
    """A known reward (observation, action, next_observation) -> [N]; None learns it."""
    continues: Callable[[Any, Any, Any], jax.Array] | None = None
    """A known probability that the episode continues, of the same arguments; None learns it."""

    cites = ("losse_2024", "online_agent_2025")
    diet = "stream"
    metrics = (SURPRISE, DOUBT, LEADER_DISTANCE, STATISTICS_BYTES, TRANSITIONS)

    def init(self, key: jax.Array, spec: WorldSpec) -> LosseState:
        """Make a model without data: it expects no change, and doubts everything (1)."""
        if self.warm_up < 1 or self.ridge <= 0:
            raise ValueError(f"warm_up must be at least 1 and ridge positive, not {self.warm_up} and {self.ridge}")
        observation, taken = vectors(spec.observation, self), form(spec.action)
        width, outputs = self._widths(observation, taken)
        projecting, solving = keys.split(key, "projection", "solver")
        queue = Queue(
            inputs=jnp.zeros((self.warm_up, width), jnp.float32),
            targets=jnp.zeros((self.warm_up, outputs), jnp.float32),
            arrived=jnp.zeros((), jnp.int32),
            learned=jnp.zeros((), jnp.int32),
        )
        plain = width if self.linear else 0
        size, slots = self.encoder.size + plain, self.encoder.slots + plain
        statistics = sums.empty(size, outputs)
        return LosseState(
            projection=self.encoder.projection(projecting, width),
            standard=self._measure(observation, taken, queue),
            queue=queue,
            statistics=statistics,
            memo=self.solver.init(solving, size, slots, self.ridge),
            **self._read(statistics),
            observation_form=observation,
            action_form=taken,
        )

    def start(self, state: LosseState, batch: int) -> jax.Array:
        """Take the middle of the observations so far, [batch, width]."""
        middle = state.standard.input_centre[: state.observation_form.width]
        return jnp.tile(middle, (batch, 1))

    def observe(
        self, key: jax.Array, state: LosseState, belief: jax.Array, action: Any, step: TimeStep
    ) -> tuple[jax.Array, Info]:
        """Take over the observation. Surprise is the error of the prediction in standard units, root mean square over its
        targets."""
        flat = state.observation_form.flat(step.observation)
        inputs = self._inputs(state, belief, action)
        expected, _ = self._expected(state, inputs)
        found = state.standard.targets(self._targets(flat - belief, step))
        surprise = jnp.sqrt(jnp.mean((found - expected) ** 2, -1))
        doubt = self._exact_doubt(state, inputs)
        return flat, {
            "surprise": jnp.where(step.first, jnp.nan, surprise),
            "doubt": jnp.where(step.first, jnp.nan, doubt),
        }

    def imagine(self, key: jax.Array, state: LosseState, belief: jax.Array, action: Any) -> tuple[jax.Array, Prediction]:
        """Imagine one step. Bounded observations stay in their bounds; choices stay choices."""
        inputs = self._inputs(state, belief, action)
        expected, remainder = self._expected(state, inputs)
        expected = expected * state.standard.target_scale + state.standard.target_centre
        width = belief.shape[-1]
        observation = state.observation_form.value(belief + expected[:, :width])
        learned = iter(jnp.moveaxis(expected[:, width:], -1, 0))
        known = (state.observation_form.value(belief), action, observation)
        reward = next(learned) if self.reward is None else self.reward(*known).astype(jnp.float32)
        continues = 1 - jnp.clip(next(learned), 0, 1) if self.continues is None else self.continues(*known)
        doubt = {
            "exact": lambda: self._exact_doubt(state, inputs),
            "diagonal": lambda: jnp.sqrt(remainder),
            "none": lambda: jnp.zeros(belief.shape[0], jnp.float32),
        }[self.doubt_in_imagination]()
        prediction = Prediction(observation=observation, reward=reward, continues=continues.astype(jnp.float32), doubt=doubt)
        return state.observation_form.flat(observation), prediction

    def learn(self, key: jax.Array, state: LosseState, experience: Experience) -> tuple[LosseState, Info]:
        """Add experience [B], row after row; seams, and rows whose action is unknown, change nothing.

        In place where the state is donated, or the carry of a scan.
        """
        now, after = (
            state.observation_form.flat(experience.step.observation),
            state.observation_form.flat(experience.next.observation),
        )
        inputs = jnp.concatenate([now, state.action_form.flat(experience.action)], -1)
        targets = self._targets(after - now, experience.next)
        state, _ = jax.lax.scan(self._row, state, (inputs, targets, experience.acted))
        state = dataclasses.replace(state, **self._read(state.statistics))
        statistics = state.statistics
        return state, {
            "leader_distance": sums.distance(statistics, self.ridge).astype(jnp.float32),
            "statistics_bytes": jnp.asarray(float(statistics.gram.nbytes), jnp.float32),
            "transitions": statistics.count.astype(jnp.float32),
        }

    def _row(self, state: LosseState, row: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[LosseState, None]:
        """Queue one transition, then learn all that waits, once standard units are set: none, one or the warm-up.

        A loop of a varying number of turns keeps A in place, where a `cond` would copy it.
        """
        inputs, targets, valid = row
        warming = state.queue.arrived < self.warm_up
        queue = state.queue.push(inputs, targets, valid)
        standard = jax.lax.cond(
            warming, lambda: self._measure(state.observation_form, state.action_form, queue), lambda: state.standard
        )

        def feed(index: jax.Array, carry: tuple[sums.Statistics, Any]) -> tuple[sums.Statistics, Any]:
            slot = index % self.warm_up
            x = standard.inputs(queue.inputs[slot][None].astype(sums.PRECISION))
            y = standard.targets(queue.targets[slot].astype(sums.PRECISION))
            active, value = self._features(state, x)
            statistics, memo = self.solver.step(*carry, self.ridge, active[0], value[0], y)
            return (self._polish(statistics) if self.polish_every else statistics), memo

        stop = jnp.where(queue.arrived < self.warm_up, queue.learned, queue.arrived)
        statistics, memo = jax.lax.fori_loop(queue.learned, stop, feed, (state.statistics, state.memo))
        queue = dataclasses.replace(queue, learned=stop)
        return dataclasses.replace(state, queue=queue, standard=standard, statistics=statistics, memo=memo), None

    def _polish(self, statistics: sums.Statistics) -> sums.Statistics:
        """Polish where it is time. A is only read here, and so passes a `cond` without a copy."""

        def polish() -> tuple[jax.Array, jax.Array]:
            better = sums.polish(statistics, self.ridge, self.polish_iterations)
            return better.weights, better.gradient

        due = statistics.count % self.polish_every == 0
        weights, gradient = jax.lax.cond(due, polish, lambda: (statistics.weights, statistics.gradient))
        return dataclasses.replace(statistics, weights=weights, gradient=gradient)

    def _widths(self, observation: Form, action: Form) -> tuple[int, int]:
        """(width of the input, number of targets)."""
        learned = (self.reward is None) + (self.continues is None)
        return observation.width + action.width, observation.width + learned

    def _measure(self, observation: Form, action: Form, queue: Queue) -> Standard:
        low, high = (np.concatenate(pair) for pair in zip(observation.bounds, action.bounds, strict=True))
        if not self.known_bounds:
            low, high = np.full_like(low, -np.inf), np.full_like(high, np.inf)
        # Changes and ends are not centred: without data the model then expects no change, and no end.
        centred = np.arange(queue.targets.shape[1]) == (observation.width if self.reward is None else -1)
        standard = measure(queue, (low, high), centred)
        if self.continues is not None:
            return standard
        return dataclasses.replace(standard, target_scale=standard.target_scale.at[-1].set(1))

    def _targets(self, change: jax.Array, step: TimeStep) -> jax.Array:
        """The targets of a step [N]: the change of the observation, then reward, then the end, where they are not given."""
        reward = [step.reward[:, None].astype(jnp.float32)] if self.reward is None else []
        ended = [step.terminated[:, None].astype(jnp.float32)] if self.continues is None else []
        return jnp.concatenate([change, *reward, *ended], -1)

    def _inputs(self, state: LosseState, belief: jax.Array, action: Any) -> jax.Array:
        """Belief and action [N] in standard units, float32 [N, width]."""
        return state.standard.inputs(jnp.concatenate([belief, state.action_form.flat(action)], -1))

    def _exact_doubt(self, state: LosseState, inputs: jax.Array) -> jax.Array:
        """The part of the prior standard deviation that remains, sqrt(ridge phi^T (A + ridge)^-1 phi / phi^T phi)."""
        active, value = self._features(state, inputs.astype(sums.PRECISION))
        left = self.solver.spread(state.statistics, state.memo, self.ridge, active, value)
        return jnp.sqrt(jnp.maximum(self.ridge * left / jnp.sum(value**2, -1), 0)).astype(jnp.float32)

    def _features(self, state: LosseState, inputs: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The features of inputs [N, width]: indices int32 [N, K], ascending, and values [N, K]; plain ones are the last."""
        active, value = self.encoder.encode(state.projection, inputs)
        if not self.linear:
            return active, value
        plain = jnp.broadcast_to(self.encoder.size + jnp.arange(inputs.shape[1], dtype=jnp.int32), inputs.shape)
        return jnp.concatenate([active, plain], -1), jnp.concatenate([value, inputs], -1)

    def _expected(self, state: LosseState, inputs: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The targets that are expected of inputs [N, width], and what the diagonal of A leaves unknown of them, [N]."""
        expected, remainder = self.encoder.interpolate(state.projection, state.table, inputs)
        return (expected if state.line is None else expected + inputs @ state.line), remainder

    def _read(self, statistics: sums.Statistics) -> dict[str, Any]:
        """Lay out the weights, and what the diagonal of A leaves unknown of each sparse feature, as imagination reads them."""
        left = self.ridge / (jnp.diagonal(statistics.gram) + self.ridge)
        columns = jnp.concatenate([statistics.weights, left[:, None]], -1).astype(jnp.float32)
        sparse, plain = columns[: self.encoder.size], columns[self.encoder.size :, :-1]
        return {"table": self.encoder.tabulate(sparse), "line": plain if self.linear else None}
