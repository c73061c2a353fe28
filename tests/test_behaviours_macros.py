"""Macros come of two traces, play what they say, and are kept where practice shows that they work."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours.macros import NOTHING, Macros
from umwelt.core import Discrete
from umwelt.worlds.page_form import Page
from umwelt.worlds.stream import rows

KEY = jax.random.key(0)
MACROS = Macros(fields=2, values=3, candidates=3, slots=2, longest=3)
EMPTY = MACROS.init(KEY, 12, Discrete(n=7))


def test_two_traces_are_aligned_by_hand() -> None:
    # fill 1 and then 2; fill 1 and then 0; both submit
    actions, holes = MACROS.aligned(jnp.array([1, 5, 6]), jnp.array([1, 3, 6]))
    assert actions.tolist() == [1, 5, 6]
    assert holes.tolist() == [False, True, False]
    # other fields are no hole, and an end is none
    assert MACROS.aligned(jnp.array([1, 5, NOTHING]), jnp.array([4, 3, 6]))[1].tolist() == [False, True, False]


def test_a_call_is_its_expansion_step_by_step() -> None:
    page = Page(fields=2, values=3, batch=1)
    actions, holes = MACROS.aligned(jnp.array([1, 5, 6]), jnp.array([2, 3, 6]))
    library = replace(EMPTY, actions=EMPTY.actions.at[2].set(actions), holes=EMPTY.holes.at[2].set(holes))
    library = MACROS.admit(library, tested=False)
    assert library.admitted.tolist()[0] == 2
    assert int(library.filled) == 1
    state, step = page.init(KEY, rows(page.tasks()["empty"], 1))
    expansion = MACROS.expanded(actions, holes, state.body.instruction[0]).tolist()
    assert expansion == [int(state.body.instruction[0, 0]), 3 + int(state.body.instruction[0, 1]), 6]
    for wanted in expansion:
        features = jnp.concatenate([step.observation[name].reshape(1, -1) for name in ("instruction", "page")], axis=1)
        action = MACROS.act(KEY, library, jnp.array([1]), features.astype(jnp.float32), "exploit")
        assert action.tolist() == [wanted]
        state, step = page.step(KEY, state, action, state.task)
    assert float(step.reward[0]) == 1.0


def test_practice_admits_what_works_and_nothing_else() -> None:
    good, spoilt = (
        MACROS.aligned(jnp.array([1, 5, NOTHING]), jnp.array([2, 3, NOTHING])),
        MACROS.aligned(jnp.array([1, 5, NOTHING]), jnp.array([1, 3, NOTHING])),
    )
    pairs = (spoilt, good)
    library = replace(
        EMPTY,
        actions=EMPTY.actions.at[:2].set(jnp.stack([pair[0] for pair in pairs])),
        holes=EMPTY.holes.at[:2].set(jnp.stack([pair[1] for pair in pairs])),
    )
    practised = MACROS.practised(KEY, library, jnp.ones((3, 2), bool))
    assert practised.tries.tolist() == [10, 10, 10]
    assert practised.wins.tolist()[1:] == [10, 0]
    assert practised.wins[0] < 8
    tested, everything = MACROS.admit(practised), MACROS.admit(practised, tested=False)
    assert (int(tested.filled), tested.admitted.tolist()[:1]) == (1, [1])
    assert (int(everything.filled), everything.admitted.tolist()[:2]) == (2, [0, 1])


def test_the_last_name_submits_and_so_does_an_empty_library() -> None:
    features = jnp.zeros((3, 12))
    np.testing.assert_array_equal(MACROS.act(KEY, EMPTY, jnp.array([0, 1, 2]), features, "explore"), [6, 6, 6])
    assert MACROS.space == Discrete(n=3)
    with pytest.raises(ValueError, match="no page"):
        MACROS.init(KEY, 11, Discrete(n=7))
