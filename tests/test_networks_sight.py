"""Networks that read a picture: shapes, a convolution by hand, and a bandit whose context is where a square stands."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours import DQN, ModelFree, Shifted
from umwelt.behaviours.batch import Batch
from umwelt.core import Box, Discrete, WorldSpec
from umwelt.memory import Ring
from umwelt.networks import layers, sight
from umwelt.networks.form import form
from umwelt.networks.layers import Layer
from umwelt.networks.sight import CHANNELS, SMALLEST, Picture, Sighted

KEY = jax.random.key(3)
CHOICES = Discrete(n=4)


def bytes_of(*shape: int) -> Box:
    return Box(shape=shape, low=0, high=255, dtype="uint8")


@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 7, 3), (10, 10, 4), (50, 34, 3), (49, 8, 2), (84, 84, 4), (210, 160, 9)])
def test_a_picture_of_any_size_and_channels_becomes_as_many_numbers_as_are_counted(shape: tuple[int, int, int]) -> None:
    picture = Picture(begin=0, shape=shape)
    network = Sighted(kernels=sight.kernels(KEY, picture), rest=None, picture=picture)
    made = jax.eval_shape(sight.seen, network, jax.ShapeDtypeStruct((5, int(np.prod(shape))), jnp.float32))
    assert made.shape == (5, picture.numbers)
    assert picture.numbers <= SMALLEST**2 * CHANNELS
    assert [layer.weight.shape[0] for layer in network.kernels] == [2 * stride for stride in picture.strides]


def test_the_published_first_layer_sees_eight_pixels_at_a_stride_of_four() -> None:
    assert Picture(begin=0, shape=(84, 84, 4)).strides == (4, 2, 2)
    assert Picture(begin=0, shape=(48, 48, 1)).strides == (2, 2, 2)
    assert Picture(begin=0, shape=(8, 8, 1)).strides == (2,)


def test_a_convolution_by_hand_and_what_stands_beside_a_picture_is_kept() -> None:
    space = {"a": Box(shape=(2,)), "b": bytes_of(4, 2, 1), "c": Discrete(n=3)}
    picture = Picture(begin=2, shape=(4, 2, 1))
    assert sight.picture_of(form(space)) == picture
    assert sight.width_of(picture, form(space)) == 2 + 2 * CHANNELS + 3
    kernel = jnp.zeros((4, 4, 1, CHANNELS)).at[1:3, 1:3, 0, 0].set(1.0)  # the middle four of 4 x 4 pixels are summed
    bias = jnp.zeros(CHANNELS).at[0].set(0.5)
    network = Sighted(kernels=(Layer(weight=kernel, bias=bias),), rest=None, picture=picture)
    seen = np.array([[255, 255], [255, 0], [0, 0], [0, 255]], np.uint8)[None, ..., None]
    flat = form(space).flat({"a": np.array([[7.0, 8.0]], np.float32), "b": seen, "c": np.array([1])})
    made = np.asarray(sight.seen(network, flat))
    # white is 1 and black -1: the squares sum to 2 and -2, and a rectifier follows
    assert made[0, 0] == pytest.approx(2.5)
    assert made[0, CHANNELS] == 0.0
    np.testing.assert_allclose(made[0, 2 * CHANNELS :], [7.0, 8.0, 0.0, 1.0, 0.0])


def squares(key: jax.Array, number: int) -> tuple[jax.Array, jax.Array]:
    """Noisy pictures uint8 [N, 10, 10, 3] with a bright square of 3 x 3 somewhere in one of four quarters, and which."""
    one, two, three = jax.random.split(key, 3)
    quarter = jax.random.randint(one, (number,), 0, 4)
    place = jax.random.randint(two, (number, 2), 0, 3) + 5 * jnp.stack([quarter // 2, quarter % 2], axis=-1)
    inside = (jnp.arange(10) >= place[..., None]) & (jnp.arange(10) < place[..., None] + 3)
    square = (inside[:, 0, :, None] & inside[:, 1, None, :])[..., None]
    noise = jax.random.randint(three, (number, 10, 10, 3), 0, 120)
    return jnp.where(square, 200, noise).astype(jnp.uint8), quarter


def test_dqn_learns_a_bandit_whose_context_is_a_picture() -> None:
    seeing, learner = form(bytes_of(10, 10, 3)), DQN(units=16, learning_rate=5e-3)
    ones, zeros = np.ones(32, np.float32), np.zeros((32, seeing.width), np.float32)

    def update(state, key):
        drawn, taken = jax.random.split(key)
        pictures, quarter = squares(drawn, 32)
        action = jax.random.randint(taken, (32,), 0, 4)
        reward = (action == quarter).astype(jnp.float32)
        batch = Batch(now=seeing.flat(pictures), action=action, reward=reward, continues=0 * ones, after=zeros, weight=ones)
        return learner.learn(key, state, batch)[0], None

    @jax.jit
    def greedy(state):
        pictures, quarter = squares(jax.random.key(99), 400)
        return jnp.mean(learner.act(KEY, state, seeing.flat(pictures), "exploit") == quarter)

    before = learner.init_for(KEY, seeing, CHOICES)
    after = jax.jit(lambda state: jax.lax.scan(update, state, jax.random.split(KEY, 100))[0])(before)
    assert float(greedy(before)) < 0.5
    assert float(greedy(after)) > 0.95


def test_an_agent_keeps_pictures_as_bytes_and_a_vector_is_read_as_before() -> None:
    def made(space: Box) -> Any:
        spec = WorldSpec(name="seen", observation=space, action=CHOICES, task={})
        agent = ModelFree(learner=DQN(units=16), memory=Ring(bytes=10_000_000), batch=8)
        return jax.eval_shape(lambda key: agent.init(key, spec), KEY)

    state = made(bytes_of(84, 84, 4))
    assert state.memory.rows.next.observation.dtype == np.uint8
    assert isinstance(state.learner.network, Sighted)
    plain = made(bytes_of(300))
    assert [layer.weight.shape for layer in plain.learner.network] == [(300, 16), (16, 16), (16, 4)]


def test_the_layers_of_a_vector_are_what_they_were() -> None:
    stack = layers.stack(KEY, (3, 4, 2), normed=False)
    values = jax.random.normal(KEY, (6, 3))
    np.testing.assert_array_equal(sight.apply(stack, values, jax.nn.relu), layers.apply(stack, values, jax.nn.relu))


def test_what_reads_no_pictures_refuses_them() -> None:
    large = form(bytes_of(40, 40, 1))
    with pytest.raises(ValueError, match="DQN reads numbers"):
        DQN(layers=0).init_for(KEY, large, CHOICES)
    with pytest.raises(ValueError, match="Shifted reads numbers"):
        ModelFree(learner=Shifted(learner=DQN()), memory=Ring()).init(
            KEY, WorldSpec(name="seen", observation=large.space, action=CHOICES, task={})
        )
    with pytest.raises(ValueError, match="stack them as the channels of one"):
        sight.picture_of(form((bytes_of(8, 8, 1), bytes_of(8, 8, 1))))
