"""The ground floor: states, keys, spaces and the two drivers."""

import dataclasses
from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from umwelt.check.base import Report, parameter_names, same_form, same_values, settles
from umwelt.core import (
    IMAGINED,
    LIVED,
    MID,
    SHOWN,
    TERMINATED,
    WATCHED,
    Box,
    Discrete,
    Experience,
    Objective,
    Prediction,
    TimeStep,
    capability,
    host_scan,
    innermost,
    is_hosted,
    keys,
    layers,
    part,
    scan,
    select,
    spaces,
    static,
    struct,
)


@struct
class Point:
    x: Any
    y: Any
    name: str = static(default="p")


def test_a_struct_is_a_frozen_pytree_whose_static_fields_are_structure() -> None:
    point = Point(x=jnp.ones(2), y=2.0, name="a")
    assert len(jax.tree.leaves(point)) == 2
    assert jax.tree.structure(point) != jax.tree.structure(dataclasses.replace(point, name="b"))
    assert jax.jit(lambda p: dataclasses.replace(p, y=p.x.sum()))(point).name == "a"
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.x = 3  # type: ignore[misc]


def test_a_part_is_hashable_and_prints_its_configuration() -> None:
    @part
    class Knob:
        turns: int = 3

    assert hash(Knob()) == hash(Knob(turns=3))
    assert "turns=3" in repr(Knob())
    with pytest.raises(TypeError):
        Knob(4)  # type: ignore[misc]


def test_keys_are_split_by_name_so_that_a_new_consumer_reshuffles_no_other() -> None:
    key = jax.random.key(0)
    act, world = keys.split(key, "act", "world")
    _, again, _ = keys.split(key, "first", "act", "third")
    assert np.array_equal(jax.random.key_data(act), jax.random.key_data(again))
    assert not np.array_equal(jax.random.key_data(act), jax.random.key_data(world))
    with pytest.raises(ValueError, match="must differ"):
        keys.split(key, "act", "act")


@given(low=some.floats(-5, 0), high=some.floats(0.5, 5), shape=some.lists(some.integers(1, 3), max_size=2), n=some.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_what_a_space_draws_lies_in_it_here_and_in_gymnasium(low: float, high: float, shape: list[int], n: int) -> None:
    space = {"box": Box(shape=tuple(shape), low=low, high=high), "choice": Discrete(n=n)}
    drawn = spaces.sample(jax.random.key(1), space)
    assert spaces.contains(space, drawn) == ""
    there = spaces.to_gymnasium(space)
    assert there.contains({"box": np.asarray(drawn["box"]), "choice": np.int64(drawn["choice"])})
    assert spaces.from_gymnasium(there) == {
        "box": Box(shape=tuple(shape), low=float(np.float32(low)), high=float(np.float32(high))),
        "choice": Discrete(n=n),
    }


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (np.zeros(3, np.float32), "shape"),
        (np.zeros(2), "dtype"),
        (np.array([0, 9], np.float32), "bounds"),
        (np.array([0, np.nan], np.float32), "NaN"),
        ({"a": np.zeros(2, np.float32)}, "structure"),
    ],
)
def test_contains_says_why_not(value: Any, word: str) -> None:
    assert word in spaces.contains(Box(shape=(2,), low=-1.0, high=1.0), value)


def test_features_flatten_boxes_and_make_choices_one_hot() -> None:
    space = (Box(shape=(2,)), Discrete(n=3))
    made = spaces.features(space, (jnp.array([[1.0, 2.0]]), jnp.array([2])))
    assert made.tolist() == [[1, 2, 0, 0, 1]]
    assert spaces.width(space) == 5


def test_a_space_of_gymnasium_that_has_no_counterpart_is_named() -> None:
    with pytest.raises(TypeError, match="MultiBinary"):
        spaces.from_gymnasium(gymnasium.spaces.MultiBinary(3))


@given(length=some.integers(1, 6), with_xs=some.booleans())
@settings(max_examples=10, deadline=None)
def test_host_scan_is_scan(length: int, with_xs: bool) -> None:
    xs = jnp.arange(float(length)) if with_xs else None

    def body(carry: Any, x: Any) -> Any:
        carry = {"a": carry["a"] * 1.5 + (0 if x is None else x)}
        return carry, {"seen": carry["a"], "twice": carry["a"] * 2}

    start = {"a": jnp.float32(1)}
    whole, stacked = scan(body, start, xs, length)
    hosted, listed = host_scan(body, start, xs, length)
    assert same_values(whole, hosted, "carry", 1e-6) == ""
    assert same_values(stacked, listed, "output", 1e-6) == ""


def test_host_scan_refuses_what_scan_refuses() -> None:
    with pytest.raises(ValueError, match="length"):
        host_scan(lambda carry, x: (carry, x), 0)
    with pytest.raises(ValueError, match="disagree"):
        host_scan(lambda carry, x: (carry, x), 0, np.zeros(3), 2)


def test_select_chooses_row_by_row() -> None:
    chosen = select(jnp.array([True, False]), {"a": jnp.ones((2, 3))}, {"a": jnp.zeros((2, 3))})
    assert chosen["a"].tolist() == [[1, 1, 1], [0, 0, 0]]


def test_the_checkers_base_finds_faults() -> None:
    class Contract:
        def act(self, key: Any, state: Any) -> None: ...

    class Wrong:
        def act(self, state: Any, key: Any) -> None: ...

    assert "says (key, state)" in parameter_names(Contract, Wrong(), ("act",))
    assert parameter_names(Contract, Contract(), ("act",)) == ""
    assert "no method" in parameter_names(Contract, object(), ("act",))
    assert "float32[2] to float32[3]" in same_form(jnp.zeros(2), jnp.zeros(3), "state")
    assert "differs by up to 1" in same_values(jnp.zeros(2), jnp.ones(2), "state")
    assert same_values(jnp.array([jnp.nan]), jnp.array([jnp.nan]), "state") == ""
    assert "from weak to fixed" in settles(
        *(jax.eval_shape(each) for each in (lambda: jnp.asarray(1.0), lambda: jnp.float32(1.0))), "state"
    )
    report = Report("world", "Broken")
    report.rule("raises", lambda: 1 / 0)  # type: ignore[arg-type,return-value]
    assert not report
    assert "ZeroDivisionError" in str(report)
    with pytest.raises(AssertionError, match="raises"):
        report.raise_if_broken()


@struct
class Inner:
    weight: Any


@struct
class Outer:
    inner: Any
    extra: Any


@part
class Valued:
    """A part with a value, a policy that imitates, and a secret."""

    hosted: bool = False

    def value(self, state: Inner, belief: jax.Array) -> jax.Array:
        return state.weight * belief

    def imitate(self, key: jax.Array, state: Inner, experience: float) -> tuple[Inner, dict[str, float]]:
        return Inner(weight=state.weight + experience), {"seen": experience}

    def secret(self) -> int:
        return 7


@part
class Around:
    """A wrapper whose belief has one number more in front."""

    model: Any
    passes: tuple[str, ...] = ("value", "imitate")

    @property
    def inner(self) -> Any:
        return self.model

    def project(self, arguments: dict[str, Any]) -> dict[str, Any]:
        given = arguments | {"state": arguments["state"].inner}
        return given | {"belief": given["belief"][1:]} if "belief" in given else given


def test_a_capability_is_found_through_two_wrappers_with_the_arguments_of_the_innermost() -> None:
    wrapped = Around(model=Around(model=Valued()))
    state = Outer(inner=Outer(inner=Inner(weight=2.0), extra=1), extra=2)
    value = capability(wrapped, "value")
    assert value is not None
    assert np.array_equal(value(state, np.array([9.0, 8.0, 3.0])), [6.0])
    assert np.array_equal(value(belief=np.array([9.0, 8.0, 3.0]), state=state), [6.0])
    imitate = capability(wrapped, "imitate")
    assert imitate is not None
    after, info = imitate(jax.random.key(0), state, 0.5)
    assert (after.inner.inner.weight, after.inner.extra, after.extra, info) == (2.5, 1, 2, {"seen": 0.5})


def test_a_capability_that_a_wrapper_does_not_pass_is_absent_or_refused_by_name() -> None:
    wrapped = Around(model=Valued())
    assert capability(wrapped, "secret") is None
    assert capability(Valued(), "secret")() == 7
    with pytest.raises(ValueError, match="planner: Around has no `secret`"):
        capability(wrapped, "secret", required="planner")
    assert [type(layer).__name__ for layer in layers(wrapped)] == ["Around", "Valued"]
    assert innermost(wrapped) == Valued()
    assert is_hosted(Valued(hosted=True))
    assert not is_hosted(wrapped)


def test_an_objective_weighs_what_it_is_asked_for_and_reads_nothing_else() -> None:
    predicted = Prediction(
        observation=None,
        reward=jnp.array([1.0, 2.0]),
        continues=jnp.ones(2),
        doubt=jnp.array([0.5, jnp.nan]),
        bonus=jnp.array([3.0, 4.0]),
    )
    assert np.array_equal(Objective()(predicted), [1.0, 2.0])
    assert np.array_equal(Objective(reward=0.0, bonus=2.0)(predicted), [6.0, 8.0])
    assert Objective(doubt=-1.0, bonus=0.5)(predicted)[0] == 1.0 - 0.5 + 1.5
    assert np.array_equal(Objective(reward=0.0)(predicted), [0.0, 0.0])
    with pytest.raises(ValueError, match=r"bonus=1.0 needs a model"):
        Objective(bonus=1.0)(dataclasses.replace(predicted, bonus=None))


def test_an_action_is_known_where_experience_is_valid_and_not_watched() -> None:
    kinds = np.array([MID, TERMINATED, MID, MID], np.int8)
    zero = np.zeros(4, np.float32)
    step = TimeStep(kind=kinds, observation=zero, reward=zero)
    after = dataclasses.replace(step, kind=np.full(4, MID, np.int8))
    origin = np.array([LIVED, SHOWN, WATCHED, IMAGINED], np.int8)
    experience = Experience(step=step, action=zero, next=after, origin=origin)
    assert experience.valid.tolist() == [True, False, True, True]
    assert experience.acted.tolist() == [True, False, False, True]
