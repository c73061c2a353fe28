"""The contracts: two to six pure functions each, and what their arguments mean.

One rule holds everywhere: arrays carry a leading batch axis, keys do not. A method draws all
its random numbers for the whole batch from the one `key` that it gets.

No part inherits from these classes. A part keeps a contract by having its methods, and `umwelt.check.<role>(part)`
says whether it does. *Capabilities* are optional methods with a fixed signature; `umwelt.core.capability` finds them,
through wrappers too.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import jax

from umwelt.core.metric import Metric
from umwelt.core.spec import WorldSpec
from umwelt.core.step import Experience, Feedback, Info, Moment, Prediction, TimeStep
from umwelt.core.struct import part

Key = jax.Array
State = Any
Task = Any
Action = Any
Belief = Any
Diet = Literal["stream", "replay"]
Mode = Literal["random", "explore", "exploit"]
"""How to act: at random, in life, or as well as one can (in a probe)."""

Imagine = Callable[[Key, Belief, Action], tuple[Belief, Prediction]]
"""A model bound to its state: beliefs [N] and actions [N] -> the next beliefs and their predictions."""
Score = Callable[[Prediction], jax.Array]
"""What a planner maximises at each imagined step: Prediction [N] -> float32 [N]. See `umwelt.core.Objective`."""
Value = Callable[[Belief], jax.Array]
"""The value beyond the horizon: beliefs [N] -> float32 [N]."""
Prior = Callable[[Key, Belief], Action]
"""A policy that proposes: beliefs [N] -> actions [N]."""
Odds = Callable[[Belief], jax.Array]
"""Log probabilities of every choice: beliefs [N] -> float32 [N, n]."""
Compose = Callable[..., Experience]
"""Whole stretches at once: (key, beliefs [N], number, ...) -> Experience [N * number, L], origin IMAGINED."""


@part
class Prospect:
    """What a planner is given, as one value. A new ability is a new field, never a new argument.

    open: bool [B, n], the choices that are admissible now, or None where all are.
    """

    imagine: Imagine
    objective: Score
    value: Value | None = None
    prior: Prior | None = None
    odds: Odds | None = None
    compose: Compose | None = None
    open: Any = None


class World(Protocol):
    """What an agent acts in. `task` and `next_task` have the leading axis B = spec.batch.

    Capabilities over rows [N]:
    position(observation) -> float32 [N, 2 or 3], x to the right and y upwards; for pictures, never for the agent;
    reward(observation, action, next_observation, task) -> float32 [N], the known reward of a transition;
    continues(observation, action, next_observation, task) -> float32 [N], the known probability that it goes on;
    expert(key, observation, task) -> action [N], a good policy in closed form;
    achieved(observation) -> the goal that it achieves, leaves [N, ...] in the shape of the task's goal;
    guard(observation, action) -> action [N], the nearest action that is allowed;
    task_of(observation) -> the task [N] that an announced observation shows.

    Capabilities of one row, the known model:
    body(observation, task) -> the body that the observation shows, NaN where it does not; observe(body, task);
    advance(key, body, action, task) -> (body, reward, terminated).
    For people: observation_names() -> a text for each number of an observation, as `spaces.features` orders them.
    """

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
        """Take one decision in each row. A row whose last step ended its episode ignores its action
        and returns FIRST, begun on its row of `next_task`; other rows ignore `next_task`."""
        ...


class HostedWorld(World, Protocol):
    """A world in plain Python (`spec.hosted`). Its state is a ticket that is good for one step."""

    def save(self, ticket: State) -> dict[str, Any]:
        """The arrays that it takes to be here again: the seed of each episode and the actions since."""
        ...

    def restore(self, saved: dict[str, Any]) -> tuple[State, TimeStep]:
        """Replay what was saved; a row that cannot be replayed comes back as ended."""
        ...

    def drain(self, ticket: State) -> list[Any]:
        """Events since the last call, each with `name`, `message` and `row`."""
        ...

    def close(self, ticket: State) -> None:
        """End the simulators. Closing twice does nothing."""
        ...


class Model(Protocol):
    """A world model. Beliefs, actions and steps have a leading axis N, which may differ from call to call.

    `diet` is one of `Diet`, and says how it learns.

    `hosted = True` says that its methods are plain Python. Capabilities:
    value(state, belief) -> float32 [N], the value of what follows;
    prior(key, state, belief) -> actions [N], drawn from the model's own policy;
    odds(state, belief) -> float32 [N, n], log probabilities of every choice;
    imitate(key, state, experience) -> (state, Info), one update of its policy towards the actions of experience [N];
    recall(key, state, experience [N, L]) -> beliefs [L + 1, N], equal to observing step by step, the opening first, where
    step t draws with jax.random.split(key, L + 1)[t];
    learn_and_recall(key, state, experience [N, L]) -> (state, Info, beliefs [L + 1, N]), one `learn`, and the beliefs
    that the model had of the experience before the update;
    compose(key, state, belief, number, ...) -> Experience [N * number, L], whole stretches.
    """

    @property
    def diet(self) -> str: ...
    @property
    def metrics(self) -> tuple[Metric, ...]: ...

    def init(self, key: Key, spec: WorldSpec) -> State:
        """A model that has seen nothing."""
        ...

    def start(self, state: State, batch: int) -> Belief:
        """The beliefs [batch] before any observation."""
        ...

    def observe(self, key: Key, state: State, belief: Belief, action: Action, step: TimeStep) -> tuple[Belief, Info]:
        """Filter the step that follows `action`. Info holds `surprise` and `doubt`, float32 [N], of
        this step as it was expected before. Where step is FIRST, belief and action are
        ignored, and surprise and doubt are NaN."""
        ...

    def imagine(self, key: Key, state: State, belief: Belief, action: Action) -> tuple[Belief, Prediction]:
        """One imagined step of N beliefs under N actions."""
        ...

    def learn(self, key: Key, state: State, experience: Experience) -> tuple[State, Info]:
        """Stream diet: experience [B], each transition once, in order; rows that are not `valid`
        are ignored. Replay diet: experience [N] or [N, L], as sampled from memory."""
        ...


class Planner(Protocol):
    """Chooses actions by imagining. Its warm start lives in its state."""

    def init(self, key: Key, spec: WorldSpec) -> State:
        """A warm start for spec.batch rows."""
        ...

    def plan(self, key: Key, state: State, belief: Belief, prospect: Prospect) -> tuple[State, Action]:
        """Choose one action for each of the B beliefs. Imagination runs on B x samples rows at once."""
        ...

    def forget(self, state: State, rows: jax.Array) -> State:
        """Drop the warm start of the rows (bool [B]) in which a new episode begins."""
        ...


class Memory(Protocol):
    """Keeps experience within a budget of bytes. Capability: held(state) -> int32, the transitions that it holds now."""

    @property
    def bytes(self) -> int: ...

    def init(self, example: Experience) -> State:
        """An empty memory for experience [B] like `example`. Only shapes and dtypes are read."""
        ...

    def add(self, key: Key, state: State, experience: Experience) -> State:
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


class Curiosity(Protocol):
    """Turns transitions into bonuses. Three doors use it: `Curious` around an agent, `Rewarded` around a learner,
    `Wondering` around a model.

    `novelty = True` says that the bonus falls on what the signal has learned. Capabilities of episodic signals:
    begin(state, rows) -> state, where bool [B] says in which rows an episode begins; another length than before is a
    new body of that many rows; told(state) -> float32 [B, W], what the bonus depends on, for agents that are shown it.
    """

    @property
    def metrics(self) -> tuple[Metric, ...]: ...

    def init(self, key: Key, width: int, actions: int, batch: int) -> State:
        """A signal that has met nothing: `width` features, `actions` numbers of an action, `batch` rows of a life."""
        ...

    def bonus(self, key: Key, state: State, moment: Moment) -> jax.Array:
        """float32 [N], of transitions that were not yet learned from."""
        ...

    def learn(self, key: Key, state: State, moment: Moment) -> tuple[State, Info]:
        """Take the transitions in; rows of weight 0 change nothing."""
        ...


class Teacher(Protocol):
    """Chooses the next task.

    Capability: reflect(key, state) -> (state, Info), called once between two stretches of a life. A teacher with
    `hosted = True` reflects in plain Python.
    """

    def init(self, key: Key, task_space: Any, named: dict[str, Task]) -> State:
        """A teacher that has seen no episode. `named` holds the world's own named tasks."""
        ...

    def ask(self, key: Key, state: State, n: int) -> tuple[State, Task]:
        """Tasks [n] for the rows that would begin an episode now. Asked once for every decision."""
        ...

    def tell(self, key: Key, state: State, tasks: Task, feedback: Feedback) -> State:
        """Receive feedback on the current tasks [B]; `feedback.finished` marks the ends."""
        ...

    def panel(self, named: dict[str, Task]) -> dict[str, Task]:
        """The tasks that a life under this teacher is examined on, by name; empty for the world's default."""
        ...


class Agent(Protocol):
    """A composition of the above, or a model-free baseline.

    An agent with a world model keeps it as `model`, with `state.model` and the beliefs `state.belief` [B], so that the
    model can be examined. `hosted = True` says that its methods are plain Python.
    """

    @property
    def metrics(self) -> tuple[Metric, ...]: ...

    def init(self, key: Key, spec: WorldSpec) -> State:
        """An agent that has learned nothing, for the world of `spec`."""
        ...

    def see(self, key: Key, state: State, step: TimeStep) -> tuple[State, Info]:
        """Filter `step` [B] once. Info holds `surprise` and `doubt`, float32 [B], of the belief that is kept; NaN where
        there is none."""
        ...

    def act(self, key: Key, state: State, mode: Mode = "explore") -> tuple[State, Action]:
        """Choose an action for each row, from what `see` left. On a row whose step is `last` the world
        ignores the action."""
        ...

    def remember(self, key: Key, state: State, experience: Experience) -> tuple[State, Info]:
        """Store experience [B] of any origin but IMAGINED; with a stream diet, learn from it and report how.
        Belief and pending decision stay as they are."""
        ...

    def learn(self, key: Key, state: State) -> tuple[State, Info]:
        """One round of learning from memory, when the rhythm says so. Info holds scalars."""
        ...

    def embody(self, key: Key, state: State, spec: WorldSpec) -> State:
        """The same knowledge in a new body of spec.batch rows: fresh belief and warm start, no
        memory. Probes examine it; the original stays as it is."""
        ...

    def imagine(self, key: Key, state: State, actions: Action) -> Prediction | None:
        """Predict the result of actions [H, B] from the present belief: Prediction [H, B], or None where the
        agent has no model."""
        ...


class Source(Protocol):
    """Where shown experience comes from. It is asked at the edge, before the first decision, in plain Python."""

    def read(self, key: Key, spec: WorldSpec) -> Iterator[Experience]:
        """Yield pieces [T, B] of streams in order, whole episodes laid end to end: seams are not `valid`, origin is
        SHOWN or WATCHED, `to_come` is filled. A piece that follows another continues its rows; blank rows (an ended
        step that no FIRST follows) pad a stream at its end."""
        ...


@runtime_checkable
class Spills(Protocol):
    """A state, anywhere in an agent's, that keeps on disk what is too much for memory. A life asks it between two
    stretches, so that no compiled program waits for a disk."""

    def spill(self, folder: Path) -> "Spills":
        """Write what is new to files in `folder`, fetch what is wanted, and return a state of the same form; this one is
        used up. Files may hold more than the state knows of, written by a life that was killed after its last save."""
        ...

    def sync(self, folder: Path) -> None:
        """Flush to disk all that this state counts on. Called before each save."""
        ...


@part
class Outside:
    """What a state may consult between two stretches of a life.

    answer: questions -> answers, from a voice such as a language model. note: (name, message) of an event for the
    chronicle.
    """

    answer: Callable[[list[str]], list[str]]
    note: Callable[[str, str], None]


@runtime_checkable
class Consults(Protocol):
    """A state, anywhere in an agent's or a teacher's, that asks the outside between two stretches of a life. So a
    compiled agent reads answers one stretch later, and no program holds a callback."""

    def consult(self, outside: Outside) -> "Consults":
        """Ask, and return a state of the same form."""
        ...
