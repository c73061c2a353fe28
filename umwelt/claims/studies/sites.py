"""Pages of many kinds, whose parts stand anywhere, and clones of what texts say, or of what was done on pages of two kinds."""

from itertools import combinations
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours import Cloning
from umwelt.behaviours.batch import Batch
from umwelt.claims.arms import Measure
from umwelt.claims.studies.offline import studied
from umwelt.core import Box, Discrete, TimeStep, WorldSpec, keys, part, struct
from umwelt.memory.from_texts import Compiled, Step
from umwelt.networks.inside import with_batch
from umwelt.worlds import stream

MENU, SUBMIT, FIELDS = 0, 1, 2
"""The numbers of the first labels; those from the last on are fields to fill."""
LABELS = ("menu", "submit", "name", "city", "date", "mail", "note")
NEW = Measure(name="new", unit="share", better="up")
"""Pages of kinds that were not shown on which the clone does all that is asked, and submits."""
TWO = Measure(name="two", unit="share", better="up")
"""The same on pages of the two kinds that were really shown."""


@struct
class SiteTask:
    """labels: int32 [slots], what stands where, -1 for nothing."""

    labels: Any


@struct
class SiteBody:
    """labels: int32 [slots]. wanted: int32 [labels], the value that each asked field should have, -1 where nothing is asked.
    values: int32 [slots], what was filled in, -1 for nothing. opened: bool []."""

    labels: jax.Array
    wanted: jax.Array
    values: jax.Array
    opened: jax.Array


@part
class Site:
    """Fill the fields that are asked for, wherever they stand, and submit; where there is a menu, it is to be opened first.

    The choices are to fill a slot with a value, in the order of slots, and then to press a slot.
    """

    batch: int = 1
    time_limit: int = 8
    slots: int = 5
    values: int = 3

    labels = LABELS

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        width = self.slots * (len(LABELS) + self.values) + (len(LABELS) - FIELDS) * self.values + 1
        return WorldSpec(
            name="site",
            observation=Box(shape=(width,), low=0, high=1, dtype="uint8"),
            action=Discrete(n=self.slots * (self.values + 1)),
            task=SiteTask(labels=Box(shape=(self.slots,), low=-1, high=len(LABELS) - 1, dtype="int32")),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, SiteTask]:
        """Two kinds of pages, each with its own order."""
        return {"one": self._kind((2, 3, 0, 4, 1)), "other": self._kind((1, 5, 2, -1, 6))}

    def begin(self, key: jax.Array, task: SiteTask) -> SiteBody:
        """An empty page on which all of its fields are asked for."""
        wanted = jax.random.randint(key, (len(LABELS),), 0, self.values)
        there = jnp.any(jnp.asarray(task.labels)[:, None] == jnp.arange(len(LABELS)), axis=0)
        asked = there & (jnp.arange(len(LABELS)) >= FIELDS)
        return self._page(jnp.asarray(task.labels), jnp.where(asked, wanted, -1))

    def advance(self, key: jax.Array, body: SiteBody, action: jax.Array, task: Any) -> tuple[SiteBody, jax.Array, jax.Array]:
        """Fill a field, open the menu, or submit; what cannot be done changes nothing."""
        fills = action < self.slots * self.values
        slot = jnp.where(fills, action // self.values, action - self.slots * self.values)
        label, open = body.labels[slot], body.opened | ~jnp.any(body.labels == MENU)
        filled = body.values.at[slot].set(action % self.values)
        values = jnp.where(fills & open & (label >= FIELDS), filled, body.values)
        opened = body.opened | (~fills & (label == MENU))
        leaves = ~fills & (label == SUBMIT)
        right = jnp.all(body.values == self._asked(body))
        after = SiteBody(labels=body.labels, wanted=body.wanted, values=values, opened=opened)
        return after, (leaves & right).astype(jnp.float32), leaves

    def observe(self, body: SiteBody, task: Any) -> jax.Array:
        """uint8 [F]: what stands in each slot and what was filled in, what is asked, and whether the menu is open."""
        parts = (
            jax.nn.one_hot(body.labels, len(LABELS)),
            jax.nn.one_hot(body.values, self.values),
            jax.nn.one_hot(body.wanted[FIELDS:], self.values),
            body.opened[None],
        )
        return jnp.concatenate([each.ravel() for each in parts]).astype(jnp.uint8)

    def next_action(self, body: SiteBody) -> jax.Array:
        """What an expert does: open the menu, fill fields in the order of labels, submit."""
        wrong = (body.values != self._asked(body)) & (body.labels >= FIELDS)
        slot = jnp.argmin(jnp.where(wrong, body.labels, len(LABELS)))
        fill = slot * self.values + body.wanted[jnp.maximum(body.labels[slot], 0)]
        shut = ~body.opened & jnp.any(body.labels == MENU)
        press = self.slots * self.values + jnp.argmax(body.labels == jnp.where(shut, MENU, SUBMIT))
        return jnp.where(shut | ~jnp.any(wrong), press, fill).astype(jnp.int32)

    def follows(self, steps: tuple[Step, ...]) -> None:
        """Raise ValueError for steps that no page of this world lets one follow."""
        for kind, label in steps:
            if (kind == "fill") != (LABELS.index(label) >= FIELDS):
                raise ValueError(f"procedures: one cannot {kind} {label!r}; menu and submit are pressed, all else is filled")
        names = [label for _, label in steps]
        if len(set(names)) < len(names) or len(names) > self.slots:
            raise ValueError(f"procedures: {', '.join(names)} do not stand once each in {self.slots} slots")
        if "menu" in names[1:] or "submit" in names[:-1]:
            raise ValueError("procedures: nothing can be filled before the menu is open, or after the page was submitted")

    def situation(self, key: jax.Array, needed: jax.Array, number: jax.Array) -> SiteBody:
        """A page with all that the steps need, and others, on which the steps before `number` are done. needed: int32 [slots],
        labels, -1 behind the last."""
        placing, asking, choosing, showing = keys.split(key, "place", "ask", "choose", "show")
        every = jnp.arange(len(LABELS))
        needs = jnp.any(needed[:, None] == every, axis=0)
        # each slot that is left shows a field that is not asked for, or nothing
        spare = jnp.argsort(jnp.where(needs | (every < FIELDS), 2.0, jax.random.uniform(choosing, every.shape)))[: self.slots]
        left = jnp.arange(self.slots) < len(LABELS) - FIELDS - jnp.sum(needs[FIELDS:])
        shows = left & jax.random.bernoulli(showing, 0.5, (self.slots,))
        behind = jnp.arange(self.slots) - jnp.sum(needed >= 0)
        labels = jnp.where(needed >= 0, needed, jnp.where(shows, spare, -1)[jnp.maximum(behind, 0)])
        asked = needs & (every >= FIELDS)
        wanted = jnp.where(asked, jax.random.randint(asking, every.shape, 0, self.values), -1)
        body = self._page(jax.random.permutation(placing, labels).astype(jnp.int32), wanted)
        before = jnp.any((needed[:, None] == every) & (jnp.arange(self.slots) < number)[:, None], axis=0)
        done = (body.labels >= FIELDS) & before[jnp.maximum(body.labels, 0)]
        values = jnp.where(done, self._asked(body), -1)
        return SiteBody(labels=body.labels, wanted=body.wanted, values=values, opened=before[MENU])

    def doing(self, body: SiteBody, label: jax.Array) -> jax.Array:
        """The action int32 [] of the step with a label: a field is filled as asked, all else is pressed."""
        slot = jnp.argmax(body.labels == label)
        fill, press = slot * self.values + body.wanted[label], self.slots * self.values + slot
        return jnp.where(label >= FIELDS, fill, press).astype(jnp.int32)

    def init(self, key: jax.Array, task: SiteTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: SiteTask) -> Any:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)

    def _page(self, labels: jax.Array, wanted: jax.Array) -> SiteBody:
        empty = jnp.full(self.slots, -1, jnp.int32)
        return SiteBody(labels=labels, wanted=wanted.astype(jnp.int32), values=empty, opened=jnp.zeros((), bool))

    def _asked(self, body: SiteBody) -> jax.Array:
        """int32 [slots]: what should stand in each slot."""
        return jnp.where(body.labels >= 0, body.wanted[jnp.maximum(body.labels, 0)], -1)

    def _kind(self, labels: tuple[int, ...]) -> SiteTask:
        return SiteTask(labels=np.array(labels, np.int32))


def procedures() -> tuple[str, ...]:
    """Forty texts: two or three fields to fill, with a menu to open or without, in an order that mixes them."""
    names = LABELS[FIELDS:]
    chosen = [each for number in (2, 3) for each in combinations(names, number)]
    texts = [
        begin + "".join(f"fill {name}, " for name in each) + "press submit"
        for each in chosen
        for begin in ("", "open the menu, ")
    ]
    order = np.random.default_rng(0).permutation(len(texts))
    return tuple(texts[number] for number in order)


@part
class Sites:
    """Clone rows and be examined; a function of a key."""

    how: str = "compiled"
    """"compiled" rows of twenty texts, "real" rows of two kinds of pages, or "both"."""
    rows: int = 2000
    """Of each source."""
    learner: Cloning = Cloning(units=128)
    world: Site = Site()
    updates: int = 4000
    batch: int = 128
    probes: int = 400

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Clone, and try new kinds and the two kinds: {measure: float32 []}."""
        making, playing, beginning, learning, probing = keys.split(key, "make", "play", "begin", "learn", "probe")
        state = self.learner.init(beginning, self.world.spec.observation.shape[0], self.world.spec.action)
        parts = [self.compiled(making, self.rows)] if self.how != "real" else []
        parts += [self.real(playing, self.rows)] if self.how != "compiled" else []
        data = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *parts)
        state = studied(self.learner, state, data, learning, self.updates, self.batch)
        new = jax.vmap(lambda key: self.kind(key))(jax.random.split(keys.fold(probing, "kinds"), self.probes))
        two = jnp.stack([task.labels for task in self.world.tasks().values()])[jnp.arange(self.probes) % 2]
        return {"new": self.passed(probing, state, new), "two": self.passed(probing, state, two)}

    def compiled(self, key: jax.Array, number: int) -> Batch:
        """So many rows of the first twenty texts."""
        texts = procedures()[:20]
        per = -(-number // sum(text.count(",") + 1 for text in texts))
        seen, actions, _, _ = Compiled(world=self.world, procedures=texts, per=per).compiled(key)
        chosen = jax.random.permutation(keys.fold(key, "choose"), actions.shape[0])[:number]
        return _rows(seen[chosen], actions[chosen])

    def real(self, key: jax.Array, number: int) -> Batch:
        """So many rows of an expert on pages of two kinds."""

        def episode(key: jax.Array, labels: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
            def tick(held: Any, _: Any) -> tuple[Any, Any]:
                body, going = held
                action = self.world.next_action(body)
                after, _, ended = self.world.advance(key, body, action, None)
                return (after, going & ~ended), (self.world.observe(body, None), action, going)

            begun = (self.world.begin(key, SiteTask(labels=labels)), jnp.ones((), bool))
            return jax.lax.scan(tick, begun, None, length=self.world.slots)[1]

        labels = jnp.stack([task.labels for task in self.world.tasks().values()])[jnp.arange(number) % 2]
        found = jax.vmap(episode)(jax.random.split(key, number), labels)
        seen, actions, counts = (leaf.reshape(-1, *leaf.shape[2:]) for leaf in found)
        first = jnp.argsort(~counts, stable=True)[:number]
        return _rows(seen[first], actions[first])

    def kind(self, key: jax.Array) -> jax.Array:
        """The labels int32 [slots] of a page of one of ten texts that are not compiled."""
        placing, choosing = jax.random.split(key)
        texts = procedures()[20:30]
        needed = [[LABELS.index(clause.split()[-1]) for clause in text.split(",")] for text in texts]
        filled = jnp.array([each + [-1] * (self.world.slots - len(each)) for each in needed])
        return jax.random.permutation(placing, filled[jax.random.randint(choosing, (), 0, len(texts))]).astype(jnp.int32)

    def passed(self, key: jax.Array, state: Any, labels: jax.Array) -> jax.Array:
        """The share of pages with labels [N, slots] that the clone does all of: float32 []."""
        world, task = with_batch(self.world, labels.shape[0]), SiteTask(labels=labels)

        def tick(held: Any, key: jax.Array) -> tuple[Any, None]:
            at, step, going, paid = held
            action = self.learner.act(key, state, step.observation.astype(jnp.float32), "exploit")
            at, after = world.step(key, at, action, task)
            return (at, after, going & ~after.last, paid + jnp.where(going, after.reward, 0.0)), None

        number = labels.shape[0]
        begun = (*world.init(key, task), jnp.ones(number, bool), jnp.zeros(number))
        return jnp.mean(jax.lax.scan(tick, begun, jax.random.split(key, world.time_limit))[0][3])


def _rows(seen: jax.Array, actions: jax.Array) -> Batch:
    ones = jnp.ones(actions.shape[0])
    now = seen.astype(jnp.float32)
    return Batch(now=now, action=actions, reward=0 * ones, continues=ones, after=now[:, :0], weight=ones)
