"""What experts carry from moment to moment, and what they believe."""

from typing import Any

import jax

from umwelt.core import Experience, static, struct
from umwelt.networks.form import Form


@struct
class ExpertsState:
    """inner: of all experts, leaves [K, ...]. now, known: int32, which is in use, and how many have begun. watch: the
    detector's state. lately: float32 [K], the mean of the logarithm of each expert's surprise since the last alarm.
    since: int32, transitions since then. usual, spread: float32 [K], mean and variance of the same while an expert is
    in use. used: int32 [K], for how many transitions it was. held: Experience [2 pause, B], the newest transitions.
    mine: int32 [2 pause], whose each of them is: an expert's, OPEN until one is chosen, or NOBODYS. count: int32,
    transitions so far. prune: of who chooses the one to give up, or None. seen, done: observation's and action's form."""

    inner: Any
    now: jax.Array
    known: jax.Array
    watch: Any
    lately: jax.Array
    since: jax.Array
    usual: jax.Array
    spread: jax.Array
    used: jax.Array
    held: Experience
    mine: jax.Array
    count: jax.Array
    prune: Any
    seen: Form = static()
    done: Form = static()


@struct
class ExpertsBelief:
    """inner: the believed expert's belief [N]. lately: float32 [N, K], the mean of the logarithm of each expert's
    surprise at the last moments of the row."""

    inner: Any
    lately: jax.Array
