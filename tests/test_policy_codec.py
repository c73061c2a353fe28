"""A codec reads and writes what the adapters' own conversions do, for every kind of space."""

import json

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

from umwelt.core import Box, Discrete
from umwelt.policy.codec import Codec
from umwelt.policy.describing import action_node, describe, observation_node
from umwelt.worlds import Announced, Cartpole, Pendulum
from umwelt.worlds.adapters.forms import Misfit, actions, observations

ONE_CHOICE = {"kind": "choice", "n": 2, "start": 0}
ONE_NUMBER = {"kind": "vector", "shape": [1]}
SEEN = {
    "vector": spaces.Box(-1, 1, (3,), np.float32),
    "wide": spaces.Box(-1, 1, (3,), np.float64),
    "matrix": spaces.Box(-9, 9, (2, 3), np.float32),
    "scalar": spaces.Box(0, 5, (), np.float32),
    "whole": spaces.Box(-5, 5, (2,), np.int64),
    "picture": spaces.Box(0, 255, (4, 5, 3), np.uint8),
    "channels first": spaces.Box(0, 255, (3, 6, 7), np.uint8),
    "grey": spaces.Box(0, 255, (33, 40), np.uint8),
    "stacked": spaces.Box(0, 255, (2, 33, 40, 3), np.uint8),
    "bytes": spaces.Box(0, 255, (7,), np.uint8),
    "byte matrix": spaces.Box(0, 255, (2, 2), np.uint8),
    "discrete": spaces.Discrete(4, start=-2),
    "multi": spaces.MultiDiscrete([2, 3], start=[1, -1]),
    "multi matrix": spaces.MultiDiscrete([[2, 3], [4, 2]]),
    "binary": spaces.MultiBinary((2, 2)),
    "text": spaces.Text(5, min_length=0, charset="abc"),
    "one of": spaces.OneOf((spaces.Discrete(3, start=1), spaces.Box(0, 1, (2,), np.float32), spaces.MultiBinary(4))),
    "dict": spaces.Dict({"b": spaces.Discrete(3), "a": spaces.Box(0, 1, (2,), np.float64), "c": spaces.MultiBinary(2)}),
    "tuple": spaces.Tuple((spaces.Box(0, 255, (2,), np.uint8), spaces.Dict({"x": spaces.MultiDiscrete([2, 2])}))),
}
DONE = {
    "box": spaces.Box(np.array([-1, -2], np.float32), np.array([1, 2], np.float32)),
    "matrix": spaces.Box(-1, 1, (2, 2), np.float64),
    "whole": spaces.Box(0, 7, (2,), np.int64),
    "small": spaces.Box(0, 7, (2,), np.int8),
    "open": spaces.Box(-np.inf, np.inf, (1,), np.float32),
    "discrete": spaces.Discrete(3, start=-1),
    "multi": spaces.MultiDiscrete([3, 4], start=[1, 2]),
    "multi matrix": spaces.MultiDiscrete([[2, 3], [2, 2]]),
    "binary": spaces.MultiBinary((3,)),
}
LEAVES = st.sampled_from([space for space in SEEN.values() if not isinstance(space, spaces.Dict | spaces.Tuple)])
NESTED = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(spaces.Tuple),
        st.dictionaries(st.sampled_from("zyx"), inner, min_size=1, max_size=3).map(spaces.Dict),
    ),
    max_leaves=5,
)


def codec(seen=ONE_NUMBER, done=ONE_CHOICE, rows=None):
    """A codec whose description has been through JSON, as in an exported file."""
    return Codec(json.loads(json.dumps({"observation": seen, "action": done})), rows)


def same(found, expected):
    np.testing.assert_array_equal(found, expected)
    assert np.asarray(found).dtype == np.asarray(expected).dtype
    assert type(found) is type(expected)


@pytest.mark.parametrize("name", SEEN)
def test_observations_are_those_of_the_adapters(name):
    space = SEEN[name]
    space.seed(3)
    form, convert = observations(space)
    reads = codec(observation_node(space))
    for _ in range(5):
        raw = space.sample()
        (leaf,) = reads.observation(raw)
        same(leaf[0], convert(raw))
        assert (leaf.shape, str(leaf.dtype)) == ((1, *form.shape), form.dtype)


@given(space=NESTED, seed=st.integers(0, 1000))
def test_nested_observations_are_those_of_the_adapters(space, seed):
    space.seed(seed)
    raw = space.sample()
    (leaf,) = codec(observation_node(space)).observation(raw)
    same(leaf[0], observations(space)[1](raw))


@pytest.mark.parametrize("name", [name for name in SEEN if name not in ("text", "tuple", "dict", "one of")])
def test_a_batch_is_its_single_observations(name):
    space = SEEN[name]
    space.seed(1)
    raws = [space.sample() for _ in range(3)]
    node = observation_node(space)
    expected = np.stack([codec(node).observation(raw)[0][0] for raw in raws])
    same(codec(node, rows=3).observation(np.stack(raws))[0], expected)


@pytest.mark.parametrize("name", ["text", "tuple", "dict", "one of"])
def test_a_batch_may_be_a_list_or_batched_inside(name):
    space = SEEN[name]
    space.seed(1)
    raws = [space.sample() for _ in range(3)]
    node = observation_node(space)
    expected = np.stack([codec(node).observation(raw)[0][0] for raw in raws])
    same(codec(node, rows=3).observation(raws)[0], expected)
    if name == "dict":
        batched = {key: np.stack([raw[key] for raw in raws]) for key in raws[0]}
        same(codec(node, rows=3).observation(batched)[0], expected)


@pytest.mark.parametrize("name", DONE)
def test_actions_are_those_of_the_adapters_and_lead_back(name):
    space = DONE[name]
    form, convert = actions(space)
    writes, three = codec(done=action_node(space)), codec(done=action_node(space), rows=3)
    random = np.random.default_rng(0)
    if form.choices:
        chosen = random.integers(0, form.choices, 3).astype(np.int32)
    else:
        chosen = (4 * random.normal(size=(3, *form.shape))).astype(form.dtype)
    expected = [convert(leaf) for leaf in chosen]
    for leaf, one in zip(chosen, expected, strict=True):
        same(writes.action([leaf[None]]), one)
    np.testing.assert_array_equal(three.action([chosen]), np.stack(expected))
    (back,) = writes.action_leaves(np.stack(expected))
    again = [convert(leaf[0]) for leaf in back]
    np.testing.assert_array_equal(np.stack(again), np.stack(expected))
    assert back.shape == (3, 1, *form.shape)


@pytest.mark.parametrize(
    ("name", "raw", "words"),
    [
        ("vector", [1.0, 2.0], r"observation: expected numbers of shape \[3\], and it is of shape \[2\]"),
        ("vector", "abc", r"expected numbers of shape \[3\], and it is of type str"),
        ("vector", [0.0, np.nan, 0.0], "NaN or infinity"),
        ("vector", [1.0, [2.0]], "it is no array"),
        ("picture", np.zeros((4, 5, 3)), "expected whole numbers of shape"),
        ("bytes", np.full(7, 256), r"whole numbers 0 \.\. 255"),
        ("discrete", 2, r"whole numbers -2 \.\. 1"),
        ("discrete", 0.5, "expected whole numbers"),
        ("multi", [0, 0], "whole numbers"),
        ("binary", [[0, 1], [2, 0]], "zeros and ones"),
        ("text", "abd", "a text of 0 .. 5 letters of 'abc'"),
        ("dict", {"a": [0, 0], "b": 1}, "expected entries a, b, c, and it is without c"),
        ("dict", {"a": [0, 0], "b": 1, "c": [0]}, r"observation\['c'\]: expected numbers of shape \[2\]"),
        ("one of", (3, 0), r"observation\[0\]: expected whole numbers 0 \.\. 2"),
        ("one of", 1, r"a pair \(which, value\)"),
        ("dict", 3, "expected entries a, b, c, and it is of type int"),
        ("tuple", ([0, 0],), "a tuple of 2 parts, and it is one of 1"),
    ],
)
def test_what_does_not_fit_says_what_was_expected(name, raw, words):
    with pytest.raises(ValueError, match=words):
        codec(observation_node(SEEN[name])).observation(raw)


def test_what_the_adapters_refuse_the_codec_refuses():
    for name, raw in (
        ("multi", np.array([9, 9])),
        ("vector", np.zeros(2)),
        ("dict", {"a": np.zeros(2)}),
        ("picture", np.zeros(3)),
    ):
        with pytest.raises(Misfit):
            observations(SEEN[name])[1](raw)
        with pytest.raises(ValueError, match="expected"):
            codec(observation_node(SEEN[name])).observation(raw)


def test_pure_worlds_are_described_by_their_specs():
    described = describe(Cartpole())
    one = Codec(described)
    assert Cartpole().spec.action == Discrete(n=2)
    same(one.observation([0, 1, 2, 3])[0], np.array([[0, 1, 2, 3]], np.float32))
    same(one.action([np.array([1], np.int32)]), np.asarray(1, np.int32))
    swing = Codec(describe(Pendulum()))
    assert isinstance(Pendulum().spec.action, Box)
    low, high = Pendulum().spec.action.bounds
    np.testing.assert_array_equal(swing.action([np.array([[99.0]], np.float32)]), high)
    np.testing.assert_array_equal(swing.action([np.array([[-99.0]], np.float32)]), low)


def test_an_announced_task_is_a_part_of_the_observation():
    world = Announced(world=Pendulum())
    task = world.spec.observation["task"]
    import jax

    from umwelt.core import spaces as own

    values = jax.tree.map(np.asarray, own.zeros(task))
    found = Codec(describe(world)).observation({"seen": np.arange(3), "task": values})
    expected = jax.tree.leaves({"seen": np.arange(3, dtype=np.float32), "task": values})
    assert len(found) == len(expected)
    for leaf, one in zip(found, expected, strict=True):
        np.testing.assert_array_equal(leaf[0], one)


def test_the_control_suite_is_read_and_acted_in_as_its_adapter_does():
    pytest.importorskip("dm_control", reason="the control suite is an extra")
    from umwelt.worlds.adapters import dm_control
    from umwelt.worlds.adapters.simulators import build

    world = dm_control(domain="cartpole", task="swingup")
    simulator = build(next(iter(world.builds().values())))
    raw = simulator.reset(3)
    own = Codec(json.loads(json.dumps(describe(world))))
    same(own.observation(raw)[0][0], simulator.encode(raw))
    np.testing.assert_array_equal(own.action([np.array([[7.0]], np.float32)]), [1.0])
    with pytest.raises(ValueError, match=r"observation\['velocity'\]: expected \[2\] numbers"):
        own.observation({**raw, "velocity": [1.0]})
    simulator.close()
