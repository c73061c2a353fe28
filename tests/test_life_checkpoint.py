"""Checkpoints: every bit comes back, and damage is found out."""

import asyncio
import json
import logging
import os
import struct
import subprocess
import sys
import threading
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from umwelt.core import static
from umwelt.core import struct as state
from umwelt.life.saves.checkpoint import CheckpointError, Checkpoints, NotAlike
from umwelt.life.saves.digest import digest

NANS = np.array([0x7FC12345, 0xFFC00001, 0x7F800001], np.uint32).view(np.float32)


@state
class Inner:
    weights: Any
    width: int = static(default=3)
    name: str | None = static(default=None)


@jax.tree_util.register_pytree_node_class
class Foreign:
    """A pytree of another library, which keeps functions among its arrays."""

    def __init__(self, weights: Any, activation: Any) -> None:
        self.weights, self.activation = weights, activation

    def tree_flatten(self) -> Any:
        return (self.weights, self.activation), None

    @classmethod
    def tree_unflatten(cls, _: Any, children: Any) -> "Foreign":
        return cls(*children)


class Pair(NamedTuple):
    left: Any
    right: Any


def everything():
    """A value with every kind of leaf, each with bits that a careless way would lose."""
    return {
        "float64": jnp.full(3, np.pi, "float64"),
        "int64": jnp.asarray(np.arange(3) + 2**40, "int64"),
        "bfloat16": jnp.linspace(0, 1, 5, dtype=jnp.bfloat16),
        "float16": jnp.ones((2, 1, 2), jnp.float16),
        "uint32": jnp.full((), 2**32 - 1, jnp.uint32),
        "bool": jnp.array([[True], [False]]),
        "int4": jnp.array([-8, 7], ml_dtypes.int4),
        "complex": jnp.array([1 - 2j]),
        "nan": jnp.asarray(NANS),
        "empty": jnp.zeros((0, 3), "float64"),
        "key": jax.random.key(7),
        "keys": jax.random.split(jax.random.key(1, impl="rbg"), 4),
        "weak": jnp.full((3,), 1.5),
        "numpy": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "swapped": np.arange(3, dtype=">f8"),
        "strided": np.arange(10)[::3],
        "scalar": np.float64(0.1),
        "plain": [
            True,
            -(2**80),
            0.1,
            -0.0,
            struct.unpack("<d", b"\1\0\0\0\0\0\xf8\x7f")[0],
            1j,
            "ü\n",
            b"\0\xff",
            b"",
            None,
            (),
        ],
        "inner": Inner(weights=Pair(left=jnp.ones((2, 2)), right=None)),
        "network": Foreign([jnp.ones((4, 2)), jnp.zeros(4)], jax.nn.relu),
    }


def bits(leaf):
    if hasattr(leaf, "dtype") and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return str(jax.random.key_impl(leaf)), np.asarray(jax.random.key_data(leaf)).tobytes()
    if hasattr(leaf, "dtype"):
        return np.dtype(leaf.dtype).name, np.shape(leaf), getattr(leaf, "weak_type", False), np.asarray(leaf).astype(
            np.asarray(leaf).dtype.newbyteorder("=")).tobytes()  # fmt: skip
    return type(leaf), struct.pack("<d", leaf) if isinstance(leaf, float) else leaf


def test_every_kind_of_leaf_comes_back_bit_for_bit(tmp_path):
    value = everything()
    kept = Checkpoints(tmp_path / "checkpoints")
    path = kept.save(12, value)
    assert path.name == "000000000012"
    clock, found = Checkpoints(tmp_path / "checkpoints").load(jax.tree.map(lambda leaf: leaf, value))
    assert clock == 12
    assert jax.tree.structure(found) == jax.tree.structure(value)
    for (where, saved), leaf in zip(jax.tree.leaves_with_path(value), jax.tree.leaves(found), strict=True):
        assert type(leaf) is type(saved), where
        assert bits(leaf) == bits(saved), where
    assert digest(found) == digest(value)


def test_the_form_asked_for_may_be_abstract_or_used_up(tmp_path):
    value = Inner(weights=(jnp.arange(4, dtype="float64"), jax.random.key(3), jnp.zeros((0,), jnp.int8)))
    kept = Checkpoints(tmp_path)
    kept.save(1, value)
    abstract = jax.eval_shape(lambda: value)
    use_up = jax.jit(lambda value: jax.tree.map(jnp.copy, value), donate_argnums=0)
    twin = use_up(value)
    assert value.weights[0].is_deleted()
    for like in (abstract, value):
        found = kept.load(like)[1]
        assert isinstance(found.weights[0], jax.Array)
        assert digest(found) == digest(twin)


def test_without_a_form_the_leaves_come_back_by_their_paths(tmp_path):
    kept = Checkpoints(tmp_path)
    kept.save(1, {"a": Inner(weights=[jnp.arange(2), np.arange(2.0)]), "b": "text", "f": abs})
    found = kept.load()[1]
    assert list(found) == ["['a'].weights[0]", "['a'].weights[1]", "['b']"]
    assert isinstance(found["['a'].weights[0]"], jax.Array)
    assert isinstance(found["['a'].weights[1]"], np.ndarray)
    assert found["['b']"] == "text"


def test_what_was_loaded_is_updated_in_place_by_a_donating_program(tmp_path):
    """Memory that JAX had only borrowed from NumPy would be copied at each step, or warned about."""
    kept = Checkpoints(tmp_path)
    kept.save(1, jnp.zeros(1_000_000))
    found = kept.load(jnp.zeros(1_000_000))[1]
    place = found.unsafe_buffer_pointer()
    found = jax.jit(lambda ring: ring.at[3].set(1.0), donate_argnums=0)(found)
    assert found.unsafe_buffer_pointer() == place
    assert float(found.sum()) == 1.0


@pytest.mark.parametrize(
    ("like", "said"),
    [
        ({"a": jnp.zeros(4), "b": Inner(weights=1)}, r"leaf \['a'\] was saved as float32\[3\], where float32\[4\] is wanted"),
        ({"a": jnp.zeros(3, "float64"), "b": Inner(weights=1)}, r"leaf \['a'\] was saved as float32\[3\], where float64\[3\]"),
        ({"a": jax.random.key(0), "b": Inner(weights=1)}, r"leaf \['a'\] was saved as float32\[3\], where key<fry>\[\]"),
        ({"a": jnp.zeros(3), "b": Inner(weights=1.0)}, r"leaf \['b'\]\.weights was saved as int, where float"),
        ({"a": jnp.zeros(3), "b": Inner(weights=None)}, r"leaf \['b'\]\.weights was saved, but is not wanted"),
        ({"a": jnp.zeros(3), "b": Inner(weights=[1, 2])}, r"leaf \['b'\]\.weights\[0\] is wanted, but was not saved"),
        ({"a": jnp.zeros(3), "b": Inner(weights=1, width=4)}, r"static field \['b'\]\.width had another value"),
    ],
)
def test_another_form_is_refused_by_the_name_of_the_leaf(tmp_path, like, said):
    kept = Checkpoints(tmp_path)
    kept.save(1, {"a": jnp.zeros(3), "b": Inner(weights=1)})
    with pytest.raises(NotAlike, match=said):
        kept.load(like)


def test_what_cannot_be_kept_is_refused_before_anything_is_written(tmp_path):
    kept = Checkpoints(tmp_path / "checkpoints")
    kept.save(1, {"a": 1})
    for leaf in (object(), np.array(["text"]), np.array([object()]), np.zeros(1, "datetime64[s]")):
        with pytest.raises(TypeError, match=r"leaf \['a'\]\[1\]"):
            kept.save(2, {"a": [0, leaf]})
    assert [path.name for path in kept.folder.iterdir()] == ["000000000001"]
    with pytest.raises(ValueError, match="keep: 0"):
        Checkpoints(tmp_path, keep=0)


def test_the_newest_are_kept_and_a_future_that_was_undone_is_not(tmp_path):
    kept = Checkpoints(tmp_path, keep=2)
    assert kept.latest() is None
    with pytest.raises(CheckpointError, match=r"no checkpoint in .* yet"):
        kept.load()
    for clock in (10, 200, 3000):
        kept.save(clock, clock)
    assert kept.clocks() == [3000, 200]
    kept.save(1000, "again from 200")
    assert kept.clocks() == [1000, 200]
    kept.save(1000, "the same clock once more")
    assert kept.clocks() == [1000, 200]
    assert kept.load() == (1000, {"": "the same clock once more"})


def flip_a_byte(path):
    largest = max((file for file in path.rglob("*") if file.is_file()), key=lambda file: file.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[len(data) // 2] ^= 1
    largest.write_bytes(data)
    return "has other bytes than were saved"


def cut_a_file(path):
    largest = max((file for file in path.rglob("*") if file.is_file()), key=lambda file: file.stat().st_size)
    os.truncate(largest, largest.stat().st_size - 7)
    return "bytes of"


def lose_the_manifest(path):
    (path / "manifest.json").unlink()
    return "manifest.json is missing"


def change_the_manifest(path):
    manifest = path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('clock\\": 20', 'clock\\": 21'))
    return "manifest.json is not as it was written"


def cut_the_manifest(path):
    os.truncate(path / "manifest.json", 100)
    return "manifest.json cannot be read"


def lose_an_array(path):
    next(file for file in (path / "arrays").rglob("*") if file.is_file() and file.parent.name == "d").unlink()
    return "is missing"


@pytest.mark.parametrize(
    "damage", [flip_a_byte, cut_a_file, lose_the_manifest, change_the_manifest, cut_the_manifest, lose_an_array]
)
def test_a_damaged_newest_is_found_out_and_the_one_before_is_used(tmp_path, damage):
    kept = Checkpoints(tmp_path)
    like = {"a": jnp.zeros(5000)}
    kept.save(10, {"a": jnp.arange(5000.0)})
    path = kept.save(20, {"a": -jnp.arange(5000.0)})
    assert kept.load(like)[0] == 20
    assert kept.notes == []
    reason = damage(path)
    clock, found = kept.load(like)
    assert clock == 10
    assert np.array_equal(found["a"], np.arange(5000.0))
    assert len(kept.notes) == 1
    assert str(path) in kept.notes[0]
    assert reason in kept.notes[0]
    kept.save(20, {"a": -jnp.arange(5000.0)})  # the life lives through it again
    assert kept.load(like)[0] == 20
    assert kept.notes == []
    assert kept.clocks() == [20, 10]


def test_where_all_are_damaged_the_sentence_names_each(tmp_path):
    kept = Checkpoints(tmp_path)
    for clock in (1, 2):
        lose_the_manifest(kept.save(clock, {"a": jnp.zeros(3)}))
    with pytest.raises(CheckpointError, match=r"is whole: .*0002 is damaged .*0001 is damaged .*put back"):
        kept.load()


def test_a_newer_format_is_not_taken_for_damage(tmp_path):
    import hashlib

    kept = Checkpoints(tmp_path)
    path = kept.save(1, 5) / "manifest.json"
    text = json.dumps({**json.loads(json.loads(path.read_text())["body"]), "format": 99})
    path.write_text(json.dumps({"sha256": hashlib.sha256(text.encode()).hexdigest(), "body": text}))
    with pytest.raises(CheckpointError, match="newer Umwelt"):
        kept.load()


def test_a_save_leaves_no_thread_no_loop_and_no_word_behind(tmp_path, capfd):
    threads, handlers, level = threading.active_count(), list(logging.root.handlers), logging.getLogger("absl").level
    kept = Checkpoints(tmp_path)
    kept.save(1, everything())
    kept.load(everything())

    async def inside_a_notebook():
        kept.save(2, everything())
        return kept.load(everything())[0]

    assert asyncio.run(inside_a_notebook()) == 2
    assert threading.active_count() <= threads
    assert logging.root.handlers == handlers
    assert logging.getLogger("absl").level == level
    assert capfd.readouterr() == ("", "")


def test_orbax_is_not_imported_before_the_first_save():
    modules = "umwelt.life.saves.checkpoint, umwelt.life.chronicle.chronicle, umwelt.life.folder.folder"
    code = f"import sys, {modules}; assert 'orbax' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_digest_sees_every_bit_of_every_leaf():
    base = everything()
    assert digest(base) == digest(everything())
    for name, change in {
        "float64": jnp.full(3, np.nextafter(np.pi, 4), "float64"),
        "bfloat16": base["bfloat16"].astype(jnp.float32),
        "nan": jnp.asarray(NANS[[1, 0, 2]]),
        "empty": jnp.zeros((0, 4), "float64"),
        "key": jax.random.key(8),
        "keys": jax.random.split(jax.random.key(1, impl="unsafe_rbg"), 4),
        "numpy": np.arange(6.0).reshape(3, 2),
        "plain": [*base["plain"][:3], 0.0, *base["plain"][4:]],
    }.items():
        assert digest(base | {name: change}) != digest(base), name
    assert digest({"a": 1}) != digest({"b": 1})
    assert digest([1]) != digest([True])
    assert digest(np.arange(3.0, dtype=np.float32)) == digest(jnp.arange(3.0))
