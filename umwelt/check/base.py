"""The base of the public checkers: faults in plain sentences, and the properties that every role shares.

A checker looks at two depths. `shapes` is one abstract trace: no program is compiled and no number is computed. `values`
adds the rules that need numbers.
"""

import inspect
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

import jax
import numpy as np

from umwelt.core import Metric, part

Depth = Literal["shapes", "values"]
"""How deep a checker looks."""


@part
class Fault:
    """One broken promise: its short name, and a sentence that says what was seen and how to mend it."""

    rule: str
    sentence: str


class Report:
    """What a checker found. Falsy where there are faults; `raise_if_broken` for tests. notes: what breaks no rule."""

    def __init__(self, role: str, name: str) -> None:
        self.role, self.name = role, name
        self.passed: list[str] = []
        self.faults: list[Fault] = []
        self.notes: list[str] = []

    def __bool__(self) -> bool:
        return not self.faults

    def __str__(self) -> str:
        lines = [f"{self.role} {self.name}: {len(self.passed)} rules kept, {len(self.faults)} broken"]
        lines += [f"  {fault.rule}: {fault.sentence}" for fault in self.faults]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])

    def rule(self, name: str, check: Callable[[], str | None]) -> bool:
        """Run one check: None or '' keeps the rule, a sentence breaks it, and so does an exception."""
        try:
            sentence = check() or ""
        except Exception as error:  # a checker explains whatever a user's part raises
            sentence = f"it raised {type(error).__name__}: {error}"
        if sentence:
            self.faults.append(Fault(rule=name, sentence=sentence))
        else:
            self.passed.append(name)
        return not sentence

    def raise_if_broken(self) -> None:
        """Raise AssertionError with every fault, for use in a test."""
        if self.faults:
            raise AssertionError(str(self))


def wants_values(depth: Depth) -> bool:
    """True where a checker is to look at values too; ValueError for an unknown depth."""
    if depth not in ("shapes", "values"):
        raise ValueError(f"depth={depth!r}: it is 'shapes' (one trace, nothing is compiled) or 'values'")
    return depth == "values"


def parameter_names(contract: type, instance: Any, methods: tuple[str, ...]) -> str:
    """A sentence where a method is missing or its parameter names differ from the contract's."""
    for method in methods:
        found = getattr(instance, method, None)
        if found is None:
            return f"it has no method `{method}`; the contract of {contract.__name__} asks for it"
        wanted = [name for name in inspect.signature(getattr(contract, method)).parameters if name != "self"]
        given = [name for name in inspect.signature(found).parameters if name != "self"]
        if given[: len(wanted)] != wanted:
            return f"`{method}` takes ({', '.join(given)}), where the contract says ({', '.join(wanted)})"
    return ""


def declares_metrics(instance: Any, needed: tuple[str, ...] = ()) -> str:
    """A sentence where `metrics` is no tuple of Metric, declares a name twice, or lacks one that is needed."""
    found = getattr(instance, "metrics", None)
    if not isinstance(found, tuple) or not all(isinstance(metric, Metric) for metric in found):
        return "`metrics` is no tuple of Metric; declare on the class every diagnostic that it reports"
    counts = Counter(metric.name for metric in found)
    twice = sorted(name for name, count in counts.items() if count > 1)
    if twice:
        return f"`metrics` declares {twice} more than once; declare each name once, with its unit and meaning"
    missing = sorted(set(needed) - set(counts))
    return f"`metrics` lacks {missing}; declare them with their unit and meaning" if missing else ""


def undeclared(instance: Any, info: dict[str, Any], method: str, shape: tuple[int, ...] | None = None) -> str:
    """A sentence where the Info of a method holds a name that `metrics` lacks, or with `shape`, a value of another one."""
    unknown = sorted(set(info) - {metric.name for metric in instance.metrics})
    if unknown:
        return f"`{method}` reports {unknown}, which `metrics` does not declare"
    wrong = [f"{name} {list(np.shape(value))}" for name, value in info.items() if shape not in (None, np.shape(value))]
    return f"`{method}` reports {', '.join(wrong)}, where the contract says {list(shape or ())}" if wrong else ""


def same_form(before: Any, after: Any, what: str) -> str:
    """A sentence where two states differ in tree structure, in a shape or in a dtype. Shapes of a trace serve too."""
    first, second = jax.tree.structure(before), jax.tree.structure(after)
    if first != second:
        return f"{what} changed its structure from {first} to {second}"
    leaves = zip(jax.tree.leaves_with_path(before), jax.tree.leaves(after), strict=True)
    for (path, a), b in leaves:
        if _form(a) != _form(b):
            name = jax.tree_util.keystr(path)
            return f"{what}{name} changed from {_form(a)} to {_form(b)}"
    return ""


def settles(first: Any, second: Any, what: str) -> str:
    """A sentence where a state has another form, or other weak types, after a call: each makes a second program.

    first: the shapes of the state before, of one trace; second: those after.
    """
    sentence = same_form(first, second, what)
    if sentence:
        return sentence
    for (path, a), b in zip(jax.tree.leaves_with_path(first), jax.tree.leaves(second), strict=True):
        if _weak(a) != _weak(b):
            name = jax.tree_util.keystr(path)
            kinds = ["weak" if _weak(leaf) else "fixed" for leaf in (a, b)]
            return f"{what}{name} changed its type from {kinds[0]} to {kinds[1]}, so it compiles twice; give `init` a dtype"
    return ""


def pure(function: Callable[..., Any], *arguments: Any) -> str:
    """A sentence where two traces of a function differ: then it reads what changes outside its arguments."""
    # a function of its own for each, or JAX would look the second trace up
    return same_program(*(jax.make_jaxpr(lambda *given: function(*given))(*arguments) for _ in range(2)))


def same_program(first: Any, second: Any) -> str:
    """A sentence where two traces made different programs."""
    texts = [re.sub(r"0x[0-9a-f]+", "", str(found)) for found in (first, second)]
    if texts[0] != texts[1] or same_values(first.consts, second.consts, ""):
        return "two traces of it differ: it holds Python state or draws from NumPy; draw every random number from `key`"
    return ""


def same_values(first: Any, second: Any, what: str, tolerance: float = 0.0) -> str:
    """A sentence where two pytrees differ in value (bit for bit where tolerance is 0; NaN equals NaN)."""
    form = same_form(first, second, what)
    if form:
        return form
    for (path, a), b in zip(jax.tree.leaves_with_path(first), jax.tree.leaves(second), strict=True):
        left, right = (plain(leaf) for leaf in (a, b))
        close = np.array_equal(left, right, equal_nan=left.dtype.kind == "f")
        if not close and tolerance and left.dtype.kind == "f":
            close = np.allclose(left, right, rtol=tolerance, atol=tolerance, equal_nan=True)
        if not close:
            gap = np.abs(left.astype(np.float64) - right.astype(np.float64))
            far = "as NaN from a number" if np.isnan(gap).all() else f"by up to {np.nanmax(gap):g}"
            return f"{what}{jax.tree_util.keystr(path)} differs {far}"
    return ""


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """`jax.jit` of a function of its own, so that nothing counts that JAX remembers of an equal one."""
    return jax.jit(lambda *given: function(*given))


def plain(leaf: Any) -> np.ndarray:
    """A leaf as a NumPy array; a key as its raw words."""
    if isinstance(leaf, jax.Array) and jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    return np.asarray(leaf)


def reloaded(tree: Any) -> Any:
    """A tree through NumPy and back, as a checkpoint goes."""

    def back(leaf: Any) -> jax.Array:
        if jax.numpy.issubdtype(jax.numpy.asarray(leaf).dtype, jax.dtypes.prng_key):
            return jax.random.wrap_key_data(jax.numpy.asarray(plain(leaf)), impl=jax.random.key_impl(leaf))
        return jax.numpy.asarray(np.array(plain(leaf)), dtype=jax.numpy.asarray(leaf).dtype)

    return jax.tree.map(back, tree)


def _form(leaf: Any) -> str:
    known = leaf if isinstance(leaf, jax.ShapeDtypeStruct) else jax.numpy.asarray(leaf)
    return f"{known.dtype}{list(known.shape)}"


def _weak(leaf: Any) -> bool:
    return bool(getattr(leaf, "weak_type", False))
