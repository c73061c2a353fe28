"""The student inside a world: what it is given, how it is examined, and what the reward counts."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.worlds.card_sets import digits
from umwelt.worlds.student import DATA, SKILLS, Student, styled

KEY = jax.random.key(0)


def test_the_world_keeps_the_contract() -> None:
    check.world(Student(batch=2, updates=1, rows=4, units=8, time_limit=2, shows="tree"), steps=5).raise_if_broken()


@pytest.fixture(scope="module")
def taught() -> tuple[Any, Any, np.ndarray]:
    """The body before and after three decisions for skill 22, and the rewards."""
    world = Student(updates=2)
    task = jax.tree.map(jnp.asarray, world.tasks()["half_of_the_digits"])

    def live(key: jax.Array) -> Any:
        begun = world.begin(key, task)

        def decide(body: Any, key: jax.Array) -> Any:
            body, reward, _ = world.advance(key, body, jnp.int32(22), task)
            return body, reward

        return begun, *jax.lax.scan(decide, begun, jax.random.split(key, 3))

    before, after, rewards = jax.jit(live)(KEY)
    return before, after, np.asarray(rewards)


def test_the_reward_sums_to_what_was_gained_on_held_out_pictures(taught: Any) -> None:
    before, after, rewards = taught
    assert rewards.sum() == pytest.approx(100 * float(after.share - before.share), abs=1e-3)
    # an examiner of its own, in NumPy
    (first, last), pictures = after.network, styled()[2]
    hidden = np.maximum(pictures @ np.asarray(first.weight) + np.asarray(first.bias), 0)
    said = np.argmax(hidden @ np.asarray(last.weight) + np.asarray(last.bias), axis=-1)
    assert float(after.share) == pytest.approx((said == np.arange(SKILLS)[:, None] // 4).mean(), abs=1e-4)


def test_a_student_knows_what_it_was_taught_and_gets_the_data_that_are_asked_for(taught: Any) -> None:
    before, after, _ = taught
    wrong = np.asarray(before.wrong).mean(axis=1)
    assert wrong[:20].mean() < 0.4, "five digits in four styles were taught"
    assert wrong[20:].min() == 1.0, "of the others it has not heard"
    given = np.asarray(after.data - before.data)
    assert given[22] == 3
    assert given.sum() == 3


def test_levels_show_the_same_errors(taught: Any) -> None:
    body = taught[0]
    single, skills, tree = (np.asarray(Student(shows=shows).observe(body, None)) for shows in ("examples", "skills", "tree"))
    np.testing.assert_allclose(single.reshape(SKILLS, -1).mean(axis=1), skills, atol=1e-6)
    np.testing.assert_allclose(tree[11:], skills, atol=1e-6)
    np.testing.assert_allclose(tree[1:11], skills.reshape(10, 4).mean(axis=1), atol=1e-6)
    assert tree[0] == pytest.approx(skills.mean(), abs=1e-6)
    with pytest.raises(ValueError, match="shows='leaves'"):
        Student(shows="leaves").below()  # type: ignore[arg-type]


@pytest.mark.parametrize("shows", ["skills", "tree"])
def test_the_expert_asks_for_the_weakest_skill(shows: Any) -> None:
    world = Student(shows=shows)
    errors = np.full(SKILLS, 0.2, np.float32)
    errors[[7, 30]] = 0.9
    seen = jnp.tile(jnp.asarray(world.below()) @ errors, (50, 1))
    asked = np.asarray(world.expert(KEY, seen)) - (11 if shows == "tree" else 0)
    assert set(asked.tolist()) == {7, 30}, "of equal ones each at times"


def test_pictures_are_styles_of_digits_and_none_is_used_twice() -> None:
    data, shown, held_out = styled()
    pictures, table, _ = digits()
    plain, negative, turned, mirrored = data[12:16, 5].reshape(4, 8, 8)
    np.testing.assert_array_equal(plain, pictures[table[0, 3, 5]])
    np.testing.assert_array_equal(negative, -plain)
    np.testing.assert_array_equal(turned[::-1].T, plain)
    np.testing.assert_array_equal(mirrored[:, ::-1], plain)
    assert data.shape[1] == DATA
    each = np.concatenate([data[::4].reshape(-1, 64), shown[::4].reshape(-1, 64), held_out[::4].reshape(-1, 64)])
    assert len(np.unique(each, axis=0)) == len(each)
