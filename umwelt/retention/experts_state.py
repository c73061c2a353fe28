"""The state and the beliefs of experts."""

from typing import Any

import jax

from umwelt.core import Experience, static, struct
from umwelt.networks.form import Form


@struct
class ExpertsState:
    """inner: of all experts, leaves [K, ...]. now, known: int32, which is in use, and how many have begun. watch: the
    detector's state. recent: float32 [K], the mean logarithm of each expert's surprise since the last alarm. since: int32,
    transitions since then. usual, spread: float32 [K], mean and variance of the same while an expert is in use. used:
    int32 [K], for how many transitions it was. held: Experience [2 pause, B], the newest transitions. owner: int32
    [2 pause], the expert that owns each of them, or OPEN until one is chosen, or UNOWNED. count: int32, transitions so
    far. prune: the state of `Prune`, or None."""

    inner: Any
    now: jax.Array
    known: jax.Array
    watch: Any
    recent: jax.Array
    since: jax.Array
    usual: jax.Array
    spread: jax.Array
    used: jax.Array
    held: Experience
    owner: jax.Array
    count: jax.Array
    prune: Any
    observation_form: Form = static()
    action_form: Form = static()


@struct
class ExpertsBelief:
    """inner: the belief [N] of the expert that a row trusts. recent: float32 [N, K], the mean logarithm of each expert's
    surprise at the last steps of the row."""

    inner: Any
    recent: jax.Array
