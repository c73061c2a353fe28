"""How fast the online linear world model learns and imagines, and how exact it stays.

python -m benchmarks.losse updates        seconds for each transition, by solver and number of features;
python -m benchmarks.losse imagination    rows for each second, by batch and encoder;
python -m benchmarks.losse drift          the gap to batch ridge regression along a long life;
python -m benchmarks.losse regions        what is left of a region of the world that was visited once;
python -m benchmarks.losse ridge          what a ridge that grows with the width explains of unseen transitions.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tyro

from benchmarks.machine import best_seconds, memory_rate
from umwelt.core import MID, Box, Experience, TimeStep, WorldSpec, lived
from umwelt.models.linear import Block, Encoder, Exact
from umwelt.models.losse import Losse, LosseState

KEY = jax.random.key(0)
SPEC = WorldSpec(
    name="pendulum",
    observation=Box(shape=(3,), low=(-1.0, -1.0, -8.0), high=(1.0, 1.0, 8.0)),
    action=Box(shape=(1,), low=-2.0, high=2.0),
    task=Box(),
)
SOLVERS = {"exact": Exact(), "block": Block(), "block + 1 set": Block(remembered=1), "block + 4 sets": Block(remembered=4)}


def pendulum(steps: int, seed: int = 0, episode: int = 200) -> tuple[np.ndarray, ...]:
    """Pendulum-v1 under random torques, episode after episode: observation [N, 3], action, next observation, reward."""
    rng = np.random.default_rng(seed)
    count = -(-steps // episode)
    angle, speed = rng.uniform(-np.pi, np.pi, count), rng.uniform(-1, 1, count)
    rows = np.empty((count, episode, 8), np.float32)
    for index in range(episode):
        torque = rng.uniform(-2, 2, count)
        wrapped = (angle + np.pi) % (2 * np.pi) - np.pi
        reward = -(wrapped**2 + 0.1 * speed**2 + 0.001 * torque**2)
        before = (np.cos(angle), np.sin(angle), speed, torque)
        speed = np.clip(speed + (15 * np.sin(angle) + 3 * torque) * 0.05, -8, 8)
        angle = angle + speed * 0.05
        rows[:, index] = np.stack([*before, np.cos(angle), np.sin(angle), speed, reward], 1)
    flat = rows.reshape(-1, 8)[:steps]
    return flat[:, :3], flat[:, 3:4], flat[:, 4:7], flat[:, 7]


def experience(data: tuple[np.ndarray, ...], start: int, stop: int) -> Experience:
    """A part of a stream as experience [stop - start]."""
    observation, action, following, reward = (array[start:stop] for array in data)
    kind = np.full(len(reward), MID, np.int8)
    step = TimeStep(kind=kind, observation=observation, reward=np.zeros_like(reward))
    return lived(step, action, TimeStep(kind=kind, observation=following, reward=reward))


def nmse(model: Losse, state: LosseState, data: tuple[np.ndarray, ...]) -> float:
    """Mean over observation entries of the squared one-step error over the variance of the change."""
    observation, action, following, _ = data
    _, prediction = jax.jit(model.imagine)(KEY, state, observation, action)
    change = following - observation
    error = np.asarray(prediction.observation) - following
    return float(np.mean((error**2).mean(0) / change.var(0)))


def seconds_of_update(model: Losse, rows: int = 256, repeats: int = 7) -> float:
    """Seconds for each transition of a scan over `rows` of them, on a state that knows some already."""
    data = pendulum(4 * rows)
    learn = jax.jit(model.learn, donate_argnums=1)
    state, _ = learn(KEY, model.init(KEY, SPEC), experience(data, 0, rows))
    held = [learn(KEY, state, experience(data, rows, 2 * rows))[0]]

    def call() -> LosseState:
        held[0], _ = learn(KEY, held[0], experience(data, 2 * rows, 3 * rows))
        return held[0]

    return best_seconds(call, repeats) / rows


def updates() -> None:
    """A table of microseconds for each transition; K = 128 features touched, 5 targets."""
    print("| D | A, MB | " + " | ".join(SOLVERS) + " | block, polished every 256 by 20 |")
    print("|---" * (len(SOLVERS) + 3) + "|")
    for bins in (2, 3, 4, 5):
        encoder = Encoder(bins=bins)
        cells = [seconds_of_update(Losse(encoder=encoder, solver=solver)) * 1e6 for solver in SOLVERS.values()]
        cells.append(seconds_of_update(Losse(encoder=encoder, solver=Block(), polish_every=256)) * 1e6)
        line = " | ".join(f"{cell:.0f}" for cell in cells)
        print(f"| {encoder.size} | {encoder.size**2 * 8 / 1e6:.1f} | {line} |", flush=True)


def seconds_of_imagination(model: Losse, rows: int) -> float:
    """Seconds for one imagined step of `rows` beliefs."""
    data = pendulum(rows)
    state, _ = jax.jit(model.learn)(KEY, model.init(KEY, SPEC), experience(pendulum(500), 0, 500))
    imagine = jax.jit(model.imagine)
    return best_seconds(lambda: imagine(KEY, state, data[0], data[1]), 30)


def imagination() -> None:
    """A table of microseconds for each imagined row, the diagonal doubt included."""
    print("| grids, bins, axes | K | 300 rows | 1,000 rows | 7,500 rows | 7,500 rows, no doubt | 300 rows, exact doubt |")
    print("|---" * 7 + "|")
    for grids, bins, axes in ((10, 4, 3), (16, 3, 3), (20, 5, 3), (32, 4, 2)):
        encoder = Encoder(grids=grids, bins=bins, axes=axes)
        model = Losse(encoder=encoder)
        cells = [seconds_of_imagination(model, rows) / rows for rows in (300, 1000, 7500)]
        cells.append(seconds_of_imagination(Losse(encoder=encoder, doubt_in_imagination="none"), 7500) / 7500)
        cells.append(seconds_of_imagination(Losse(encoder=encoder, doubt_in_imagination="exact"), 300) / 300)
        line = " | ".join(f"{cell * 1e6:.2f}" for cell in cells)
        print(f"| {grids}, {bins}, {axes} | {encoder.slots} | {line} |", flush=True)


def drift(steps: int = 1_000_000, chunk: int = 10_000) -> None:
    """The largest gap between predictions and those of batch ridge regression in float64, in standard units."""
    data, unseen = pendulum(steps), pendulum(2000, seed=1)
    model = Losse()
    learn, interpolate = jax.jit(model.learn, donate_argnums=1), jax.jit(model.encoder.interpolate)
    state = model.init(KEY, SPEC)
    size = model.encoder.size
    gram, cross = np.zeros((size, size)), np.zeros((size, 5))
    print("| transitions | statistics, float64 | as imagined, float32 | leader distance |")
    print("|---" * 4 + "|")
    for start in range(0, steps, chunk):
        state, info = learn(KEY, state, experience(data, start, start + chunk))
        phi, targets = _dense(model, state, tuple(array[start : start + chunk] for array in data))
        gram, cross = gram + phi.T @ phi, cross + phi.T @ targets
        if start + chunk in (10_000, 100_000, 300_000, steps):
            leader = np.linalg.solve(gram + model.ridge * np.eye(size), cross)
            phi, _ = _dense(model, state, unseen)
            inputs = state.standard.inputs(jnp.asarray(np.concatenate(unseen[:2], 1)))
            imagined, _ = interpolate(state.projection, state.table, inputs)
            gaps = [np.abs(found - phi @ leader).max() for found in (phi @ np.asarray(state.statistics.weights), imagined)]
            line = " | ".join(f"{gap:.1e}" for gap in (*gaps, float(info["leader_distance"])))
            print(f"| {start + chunk:,} | {line} |", flush=True)


def _dense(model: Losse, state: LosseState, data: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Features [N, D] and targets [N, 5] of a stream in standard units, float64."""
    observation, action, following, reward = data
    targets = np.concatenate([following - observation, reward[:, None], np.zeros((len(reward), 1))], 1)
    inputs = state.standard.inputs(jnp.asarray(np.concatenate([observation, action], 1), "float64"))
    active, value = (np.asarray(array) for array in model.encoder.encode(state.projection, inputs))
    phi = np.zeros((len(reward), model.encoder.size))
    np.put_along_axis(phi, active, value, 1)
    return phi, np.asarray(state.standard.targets(jnp.asarray(targets, "float64")))


def regions(steps: int = 6000) -> None:
    """One-step errors where six sectors of the pendulum's circle are visited once each, one after the other."""
    data, unseen = pendulum(steps), pendulum(3000, seed=1)
    sector = np.floor((np.arctan2(data[0][:, 1], data[0][:, 0]) + np.pi) / (2 * np.pi) * 6 - 1e-6).astype(int)
    stream = tuple(array[np.argsort(sector, kind="stable")] for array in data)
    visited = int(np.sum(sector == sector.min()))
    first = tuple(array[:visited] for array in stream)
    print("| solver | first sector, right after | first sector, at the end | held out | leader distance |")
    print("|---" * 5 + "|")
    for name, solver in SOLVERS.items():
        model = Losse(solver=solver)
        learn = jax.jit(model.learn)
        early, _ = learn(KEY, model.init(KEY, SPEC), experience(stream, 0, visited))
        late, info = learn(KEY, early, experience(stream, visited, steps))
        cells = [nmse(model, early, first), nmse(model, late, first), nmse(model, late, unseen), float(info["leader_distance"])]
        print(f"| {name} | " + " | ".join(f"{cell:.2g}" for cell in cells) + " |", flush=True)


def ridge(noise: float = 0.3, seeds: int = 3) -> None:
    """The unexplained share of unseen changes, by width: the ridge as it is, and in proportion to the number of grids.

    noise: of the observations that are learned from, in deviations of the change; the unseen ones have none. Their weights
    are those of batch ridge regression, which the exact solver follows.
    """
    print("| features | transitions | exact, fixed | exact, growing | noisy, fixed | noisy, growing |")
    print("|---" * 6 + "|")
    for count in (500, 5000):
        for grids in (1, 2, 4, 8, 16, 32, 64):
            model = Losse(encoder=Encoder(grids=grids), solver=Block())
            cells = np.mean([_unseen(model, count, noise, seed) for seed in range(seeds)], axis=0)
            line = " | ".join(f"{cell:.2g}" for cell in cells)
            print(f"| {model.encoder.size:,} | {count:,} | {line} |", flush=True)


def _unseen(model: Losse, count: int, noise: float, seed: int) -> list[float]:
    """The four shares of one seed."""
    data, unseen = pendulum(count, seed), pendulum(4000, seed + 1000)
    change = data[2] - data[0]
    blurred = data[2] + noise * change.std(0) * np.random.default_rng(seed).standard_normal(change.shape).astype(np.float32)
    state, _ = jax.jit(model.learn)(KEY, model.init(jax.random.key(seed), SPEC), experience(data, 0, model.warm_up))
    test, wanted = _dense(model, state, unseen)
    shares = []
    for following in (data[2], blurred):
        phi, targets = _dense(model, state, (data[0], data[1], following, data[3]))
        for penalty in (model.ridge, model.ridge * model.encoder.grids):
            gaps = (test @ _leader(phi, targets, penalty) - wanted)[:, :3]
            shares.append(float(np.mean((gaps**2).mean(0) / wanted[:, :3].var(0))))
    return shares


def _leader(phi: np.ndarray, targets: np.ndarray, penalty: float) -> np.ndarray:
    """The weights of batch ridge regression, by the smaller one of its two systems of equations."""
    count, size = phi.shape
    if count < size:
        return phi.T @ np.linalg.solve(phi @ phi.T + penalty * np.eye(count), targets)
    return np.linalg.solve(phi.T @ phi + penalty * np.eye(size), phi.T @ targets)


def run(rates: dict[str, float]) -> dict[str, dict[str, Any]]:
    """The two figures of the default model: transitions learned and rows imagined for each second."""
    model = Losse()
    size, slots, memo = model.encoder.size, model.encoder.slots, model.solver.deferred
    rate = 1 / seconds_of_update(model)
    # Numbers that one update cannot avoid to touch: rows of P, the deferred changes twice, the block of A twice, and its
    # share of folding, which reads and writes P.
    bytes_moved = 8 * (slots * size + 2 * memo * size + 2 * slots**2 + 2 * size**2 / memo)
    rows = 7500 / seconds_of_imagination(model, 7500)
    row_bytes = 4 * model.encoder.slots * 6
    return {
        "losse learning": {
            "value": rate,
            "unit": "transitions/s",
            "share": rate * bytes_moved / 1e9 / rates["memory"],
            "of": "memory",
            "note": f"exact, D {size}, K {slots}, float64, {bytes_moved / 1e6:.1f} MB an update",
        },
        "losse imagination": {
            "value": rows,
            "unit": "rows/s",
            "share": rows * row_bytes / 1e9 / rates["memory"],
            "of": "memory",
            "note": f"7,500 rows, 6 columns, K {slots}, {row_bytes / 1e3:.1f} kB of gathers a row, from cache",
        },
    }


def figures() -> None:
    """What the benchmark gate reads."""
    print(run({"memory": memory_rate()}))


if __name__ == "__main__":
    tables = {table.__name__: table for table in (updates, imagination, drift, regions, ridge, figures)}
    tyro.extras.subcommand_cli_from_dict(tables)
