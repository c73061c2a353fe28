"""A small service desk with tools, records and a forgetful customer, and clones of conversations at it."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours import Cloning
from umwelt.behaviours.batch import Batch
from umwelt.claims.arms import Measure
from umwelt.claims.studies.offline import studied
from umwelt.core import Box, Discrete, TimeStep, WorldSpec, keys, part, struct
from umwelt.memory.blueprints import Verified
from umwelt.networks.inside import with_batch
from umwelt.worlds import stream

ORDERS, ITEMS = 4, 4
CANCEL, REFUND, ITEM, ADDRESS = range(4)
"""The tools that change a record."""
MISSING, PENDING, SHIPPED, DELIVERED = range(4)
"""What an order may be."""
CALLS = 2 * ORDERS + 2 * ORDERS * ITEMS
"""Calls of tools: to cancel and to refund each order, then to change its item and its address to each number."""
ASK_ORDER, ASK_DETAIL, CLOSE = CALLS, CALLS + 1, CALLS + 2
ANSWERED = Measure(name="answered", unit="share", better="up")
"""Conversations with new wishes that end in the state that the wish and the policy of the desk ask for."""
ALWAYS = Measure(name="always", unit="share", better="up")
"""Wishes of which four conversations all end so."""
EXECUTABLE = Measure(name="executable", unit="share", better="up")
"""Blueprints whose call can be executed."""


@struct
class DeskTask:
    """wish: int32 [3], tool, order and detail; -1 for each that is drawn."""

    wish: Any


@struct
class DeskBody:
    """state, item, address: int32 [orders], the records; first: the same [3, orders] as they were. wish: int32 [3]. said: bool
    [2], the customer has said which order, and which detail. called: bool []."""

    state: jax.Array
    item: jax.Array
    address: jax.Array
    first: jax.Array
    wish: jax.Array
    said: jax.Array
    called: jax.Array


@part
class Desk:
    """Ask the customer for what is missing, make one call or none, and close.

    Only orders that are pending may be cancelled or changed, and only those that were delivered may be refunded.
    """

    batch: int = 1
    time_limit: int = 12
    forgets: float = 0.2
    """The chance that the customer does not answer a question."""

    calls = CALLS
    close = CLOSE

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        width = ORDERS * (4 + 2 * ITEMS) + 4 + ORDERS + ITEMS + 3
        wish = Box(shape=(3,), low=-1, high=ITEMS - 1, dtype="int32")
        return WorldSpec(
            name="desk",
            observation=Box(shape=(width,), low=0, high=1, dtype="uint8"),
            action=Discrete(n=CALLS + 3),
            task=DeskTask(wish=wish),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, DeskTask]:
        """One task: a wish that is drawn."""
        return {"any": DeskTask(wish=np.full(3, -1, np.int32))}

    def begin(self, key: jax.Array, task: DeskTask) -> DeskBody:
        """Draw records and a wish about one of them."""
        wishing, states, items, addresses = keys.split(key, "wish", "states", "items", "addresses")
        drawn = jax.random.randint(wishing, (3,), 0, ITEMS)
        # one order of four is not in the records
        state = jax.random.permutation(states, jnp.arange(ORDERS)).astype(jnp.int32)
        item, address = (jax.random.randint(one, (ORDERS,), 0, ITEMS) for one in (items, addresses))
        return DeskBody(
            state=state,
            item=item,
            address=address,
            first=jnp.stack([state, item, address]),
            wish=jnp.where(jnp.asarray(task.wish) < 0, drawn, task.wish).astype(jnp.int32),
            said=jnp.zeros(2, bool),
            called=jnp.zeros((), bool),
        )

    def advance(self, key: jax.Array, body: DeskBody, action: jax.Array, task: Any) -> tuple[DeskBody, jax.Array, jax.Array]:
        """Ask, call a tool, or close; closing pays 1 where the records are as the wish and the policy ask."""
        asks = jnp.array([action == ASK_ORDER, action == ASK_DETAIL])
        said = body.said | (asks & ~jax.random.bernoulli(key, self.forgets))
        calls = action < CALLS
        state, item, address = (
            jnp.where(calls, new, old) for new, old in zip(self.after(body, action), self.records(body), strict=True)
        )
        fresh = replace(body, state=body.first[0], item=body.first[1], address=body.first[2])
        wanted = self.after(fresh, self.right(body))
        right = jnp.all(jnp.stack(self.records(body)) == jnp.stack(wanted))
        closes = action == CLOSE
        after = replace(body, state=state, item=item, address=address, said=said, called=body.called | calls)
        return after, (closes & right).astype(jnp.float32), closes

    def records(self, body: DeskBody) -> tuple[jax.Array, jax.Array, jax.Array]:
        """The records as they are."""
        return body.state, body.item, body.address

    def after(self, body: DeskBody, call: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """The records after a call; what is no call, or names an order that is missing, changes nothing."""
        plain = call < 2 * ORDERS
        rest = call - 2 * ORDERS
        tool = jnp.where(plain, call // ORDERS, ITEM + rest // (ORDERS * ITEMS))
        order = jnp.where(plain, call % ORDERS, rest // ITEMS % ORDERS)
        works = self.executable(body, call)
        gone = works & ((tool == CANCEL) | (tool == REFUND))
        state = body.state.at[order].set(jnp.where(gone, MISSING, body.state[order]))
        item = body.item.at[order].set(jnp.where(works & (tool == ITEM), rest % ITEMS, body.item[order]))
        address = body.address.at[order].set(jnp.where(works & (tool == ADDRESS), rest % ITEMS, body.address[order]))
        return state, item, address

    def executable(self, body: DeskBody, call: jax.Array) -> jax.Array:
        """Whether there is such a call and such an order: bool []. To make no call, which is to close, always works."""
        order = jnp.where(call < 2 * ORDERS, call % ORDERS, (call - 2 * ORDERS) // ITEMS % ORDERS)
        return ((call < CALLS) & (body.state[order] != MISSING)) | (call == CLOSE)

    def wished(self, body: DeskBody) -> jax.Array:
        """The call int32 [] that the wish means, whatever the policy says."""
        tool, order, detail = body.wish
        return jnp.where(tool < ITEM, tool * ORDERS + order, 2 * ORDERS + ((tool - ITEM) * ORDERS + order) * ITEMS + detail)

    def right(self, body: DeskBody) -> jax.Array:
        """The call that is right, or to close where the policy forbids the wish: int32 []."""
        tool, order, _ = body.wish
        allowed = body.first[0][order] == jnp.where(tool == REFUND, DELIVERED, PENDING)
        return jnp.where(allowed, self.wished(body), CLOSE)

    def next_action(self, body: DeskBody, call: jax.Array) -> jax.Array:
        """What leads to a call: ask for the order, ask for the detail where the tool needs one, call, close."""
        needs = body.wish[0] >= ITEM
        asks = jnp.where(~body.said[0], ASK_ORDER, ASK_DETAIL)
        done = body.called | (call >= CALLS)
        return jnp.where(~body.said[0] | (needs & ~body.said[1]), asks, jnp.where(done, CLOSE, call)).astype(jnp.int32)

    def observe(self, body: DeskBody, task: Any) -> jax.Array:
        """uint8 [F]: the records, the tool that is wished, order and detail once they are said, and what was done."""
        hot = jax.nn.one_hot
        parts = (
            hot(body.state, 4),
            hot(body.item, ITEMS),
            hot(body.address, ITEMS),
            hot(body.wish[0], 4),
            hot(body.wish[1], ORDERS) * body.said[0],
            hot(body.wish[2], ITEMS) * body.said[1],
            jnp.append(body.said, body.called),
        )
        return jnp.concatenate([each.ravel() for each in parts]).astype(jnp.uint8)

    def init(self, key: jax.Array, task: DeskTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: DeskTask) -> Any:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


@part
class Desks:
    """Clone conversations and be examined; a function of a key."""

    source: Verified = Verified(world=Desk(), conversations=2000)
    learner: Cloning = Cloning(units=128)
    updates: int = 4000
    batch: int = 256
    probes: int = 200
    """New wishes, each tried four times."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Make conversations, clone those that are kept, and talk: {measure: float32 []}."""
        making, beginning, learning, probing = keys.split(key, "make", "begin", "learn", "probe")
        world: Any = self.source.world
        state = self.learner.init(beginning, world.spec.observation.shape[0], world.spec.action)
        made = self.source.made(making)
        now, action = (leaf.reshape(-1, *leaf.shape[2:]) for leaf in (made.seen.astype(jnp.float32), made.actions))
        weight = (made.counts & made.kept[:, None]).reshape(-1).astype(jnp.float32)
        # equal numbers of moments are drawn, however many conversations were dropped
        first = jnp.argsort(-weight, stable=True)
        rows = Batch(
            now=now[first], action=action[first], reward=0 * weight, continues=weight, after=now[:, :0], weight=weight[first]
        )
        state = studied(self.learner, state, rows, learning, self.updates, self.batch)
        passed = self.talked(probing, state)
        return {
            "answered": jnp.mean(passed),
            "always": jnp.mean(jnp.all(passed > 0.5, axis=0).astype(jnp.float32)),
            "executable": jnp.mean(made.executable.astype(jnp.float32)),
        }

    def talked(self, key: jax.Array, state: Any) -> jax.Array:
        """What four conversations about each wish were paid: float32 [4, probes]."""
        world: Any = with_batch(self.source.world, 4 * self.probes)
        task = stream.default(world, None, 4 * self.probes)
        begun = jax.vmap(world.begin)(jax.random.split(key, self.probes)[jnp.arange(4 * self.probes) % self.probes], task)
        at, _ = world.init(key, task)
        # the four conversations share records and wish
        at = stream.StreamState(body=begun, task=at.task, kind=at.kind, age=at.age)
        seen = jax.vmap(world.observe)(begun, task)

        def tick(held: Any, key: jax.Array) -> tuple[Any, None]:
            at, seen, going, paid = held
            acting, stepping = keys.split(key, "act", "step")
            action = self.learner.act(acting, state, seen.astype(jnp.float32), "explore")
            at, after = world.step(stepping, at, action, task)
            return (at, after.observation, going & ~after.last, paid + jnp.where(going, after.reward, 0.0)), None

        none = jnp.zeros(4 * self.probes)
        held = (at, seen, none < 1, none)
        return jax.lax.scan(tick, held, jax.random.split(key, world.time_limit))[0][3].reshape(4, -1)
