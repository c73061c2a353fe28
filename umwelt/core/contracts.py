"""The contracts: two to five pure functions each, and what their arguments mean.

One rule holds everywhere: **arrays carry a leading batch axis, keys do not.** A method draws all
its random numbers for the whole batch from the one `key` that it is given.

Nobody inherits from these classes. A part keeps a contract by having its methods, and
`umwelt.check.<role>(part)` says whether it does.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import jax

from umwelt.core.metric import Metric
from umwelt.core.spec import WorldSpec
from umwelt.core.step import Evidence, Experience, Info, Prediction, TimeStep

Key = jax.Array
State = Any
Task = Any
Action = Any
Belief = Any
Diet = Literal["stream", "replay"]
Mode = Literal["random", "explore", "exploit"]
"""How to act: at random, in life, or as well as one can (in a probe)."""

Imagine = Callable[[Key, Belief, Action], tuple[Belief, Prediction]]
"""A model bound to its state: beliefs [N] and actions [N] -> the next beliefs and what they hold."""
Objective = Callable[[Prediction], jax.Array]
"""What a planner maximises at each imagined step: Prediction [N] -> float32 [N]."""
Value = Callable[[Belief], jax.Array]
"""What a belief is worth beyond the horizon: beliefs [N] -> float32 [N]."""
Prior = Callable[[Key, Belief], Action]
"""A policy that proposes: beliefs [N] -> actions [N]."""


class World(Protocol):
    """What an agent lives in. `task` and `next_task` have the leading axis B = spec.batch."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and names."""
        ...

    def tasks(self) -> dict[str, Task]:
        """Named tasks of one row (no batch axis), the default first."""
        ...

    def init(self, key: Key, task: Task) -> tuple[State, TimeStep]:
        """Begin B episodes on `task`: every row of the step is FIRST."""
        ...

    def step(self, key: Key, state: State, action: Action, next_task: Task) -> tuple[State, TimeStep]:
        """One decision in each row. A row whose last step ended its episode ignores its action
        and returns FIRST, begun on its row of `next_task`; other rows ignore `next_task`."""
        ...


class Model(Protocol):
    """A world model. Beliefs, actions and steps have a leading axis N, which may differ from call to call."""

    diet: Diet
    metrics: tuple[Metric, ...]

    def init(self, key: Key, spec: WorldSpec) -> State:
        """A model that has seen nothing."""
        ...

    def start(self, state: State, batch: int) -> Belief:
        """The beliefs [batch] of somebody who has not yet seen anything."""
        ...

    def observe(self, key: Key, state: State, belief: Belief, action: Action, step: TimeStep) -> tuple[Belief, Info]:
        """Filter what was seen after `action`. Info holds `surprise` and `doubt`, float32 [N], of
        this step as it was expected beforehand. Where step is FIRST, belief and action are
        ignored, and surprise and doubt are NaN."""
        ...

    def imagine(self, key: Key, state: State, belief: Belief, action: Action) -> tuple[Belief, Prediction]:
        """One imagined step of N beliefs under N actions."""
        ...

    def learn(self, key: Key, state: State, experience: Experience) -> tuple[State, Info]:
        """Stream diet: experience [B], each transition once, in order; rows that are not `valid`
        are ignored. Replay diet: experience [N] or [N, L], as sampled from memory."""
        ...


class Guide(Protocol):
    """What a model may be beside a world model: one who knows what beliefs are worth, and what to do in
    them. An agent that plans passes both on to its planner."""

    def value(self, state: State, belief: Belief) -> jax.Array:
        """What beliefs [N] are worth beyond them, float32 [N]."""
        ...

    def prior(self, key: Key, state: State, belief: Belief) -> Action:
        """An action that the model's own policy draws for each of the beliefs [N]."""
        ...


class Planner(Protocol):
    """Chooses actions by imagining. Its warm start lives in its state."""

    def init(self, key: Key, spec: WorldSpec) -> State:
        """A warm start for spec.batch rows."""
        ...

    def plan(
        self,
        key: Key,
        state: State,
        belief: Belief,
        imagine: Imagine,
        objective: Objective,
        value: Value | None,
        prior: Prior | None,
    ) -> tuple[State, Action]:
        """Choose one action for each of the B beliefs. Imagination runs on B x samples rows at once."""
        ...

    def forget(self, state: State, rows: jax.Array) -> State:
        """Drop the warm start of the rows (bool [B]) in which a new episode begins."""
        ...


class Memory(Protocol):
    """Keeps experience within a budget of bytes."""

    def init(self, example: Experience) -> State:
        """An empty memory for experience [B] like `example`. Only shapes and dtypes are read."""
        ...

    def add(self, key: Key, state: State, steps: Experience) -> State:
        """Keep experience [B]; seams are not kept. In place where the state is donated."""
        ...

    def sample(self, key: Key, state: State, shape: tuple[int, ...]) -> Experience:
        """Experience of leading shape (N,) as transitions or (N, L) as sequences inside one episode, or across episodes
        where the memory was asked for such: the seams in them are not `valid`.
        An empty memory returns rows that are not `valid`."""
        ...

    def count(self, state: State) -> jax.Array:
        """int32: how many transitions, or sequence ends, can be drawn now."""
        ...


@runtime_checkable
class Spills(Protocol):
    """A state, anywhere in an agent's, that keeps on disk what is too much for memory. A life asks it between two
    stretches, so that nothing inside a compiled program waits for a disk."""

    def spill(self, folder: Path) -> "Spills":
        """Write what is new to files in `folder`, fetch what is wanted, and return a state of the same form; this one is
        used up. Files may hold more than the state knows of, written by a life that was killed after its last save."""
        ...

    def sync(self, folder: Path) -> None:
        """Have the disk remember all that this state counts on. Called before each save."""
        ...


class Teacher(Protocol):
    """Chooses the next task."""

    def init(self, key: Key, task_space: Any, named: dict[str, Task]) -> State:
        """A teacher that has seen no episode. `named` holds the world's own named tasks."""
        ...

    def ask(self, key: Key, state: State, n: int) -> tuple[State, Task]:
        """Tasks [n] for the rows that would begin an episode now. Asked once for every decision."""
        ...

    def tell(self, key: Key, state: State, tasks: Task, evidence: Evidence) -> State:
        """Hear how the tasks [B] now lived are going; `evidence.finished` marks the ends."""
        ...


class Agent(Protocol):
    """A composition of the above, or a model-free baseline. One that has a world model keeps it as `model`,
    with `state.model` and the beliefs `state.belief` [B], so that what the model knows can be examined."""

    metrics: tuple[Metric, ...]

    def init(self, key: Key, spec: WorldSpec) -> State:
        """A newborn in the world of `spec`."""
        ...

    def act(self, key: Key, state: State, step: TimeStep, mode: Mode = "explore") -> tuple[State, Action]:
        """See `step` [B], and choose an action for each row. On a row that is `last` the world
        will ignore the action."""
        ...

    def remember(self, key: Key, state: State, step: TimeStep, action: Action, next: TimeStep) -> tuple[State, Info]:
        """Take in the transition [B]: measure it (`surprise`, `doubt`, float32 [B], NaN where there
        is none), store it, and with a stream diet learn from it."""
        ...

    def learn(self, key: Key, state: State) -> tuple[State, Info]:
        """One round of learning from memory, when the rhythm says so. Info holds scalars."""
        ...

    def embody(self, key: Key, state: State, spec: WorldSpec) -> State:
        """The same knowledge in a new body of spec.batch rows: fresh belief and warm start, no
        memory. What probes examine; the original is not touched."""
        ...

    def imagine(self, key: Key, state: State, actions: Action) -> Prediction | None:
        """What it expects of actions [H, B] from where it is: Prediction [H, B], or None where the
        agent has no model."""
        ...
