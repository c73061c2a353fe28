"""Five updates of Stable-Baselines3's soft actor-critic on one batch, with the noise written down: what ours must do too.

    build/peer/bin/python tests/sac_update.py tests/sac_update.npz

Run with the Python of the environment that `umwelt/claims/studies/peers.py` describes; `tests/test_behaviours_learners.py`
reads the file. Names: `before/` and `after/` the networks as PyTorch calls them; now, action, reward, goes_on, after:
the batch; noise [2, N, A]: drawn for the batch's first observations and for what follows them, in every update.
"""

import sys

import gymnasium
import numpy as np
import torch
from stable_baselines3 import SAC
from stable_baselines3.common.logger import configure
from stable_baselines3.common.type_aliases import ReplayBufferSamples

ROWS, SEEN, ACTS, UNITS, UPDATES = 32, 3, 2, 8, 5


class Nowhere(gymnasium.Env):
    """Spaces, and nothing else."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (SEEN,), np.float32)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (ACTS,), np.float32)


def networks(agent: SAC) -> dict[str, np.ndarray]:
    """All that learns, by name."""
    parts = {"actor": agent.actor, "critic": agent.critic, "slow": agent.critic_target}
    found = {f"{part}.{name}": leaf for part, network in parts.items() for name, leaf in network.named_parameters()}
    return {name: leaf.detach().numpy().copy() for name, leaf in (found | {"temperature": agent.log_ent_coef}).items()}


def main() -> int:
    """Learn, and write."""
    random = np.random.default_rng(0)
    batch = {
        "now": random.normal(size=(ROWS, SEEN)),
        "action": random.uniform(-1, 1, (ROWS, ACTS)),
        "reward": random.normal(size=ROWS),
        "goes_on": random.uniform(size=ROWS) > 0.2,
        "after": random.normal(size=(ROWS, SEEN)),
        "noise": random.normal(size=(2, ROWS, ACTS)),
    }
    batch = {name: value.astype(np.float32) for name, value in batch.items()}
    held = {name: torch.as_tensor(value) for name, value in batch.items()}
    samples = ReplayBufferSamples(
        observations=held["now"],
        actions=held["action"],
        next_observations=held["after"],
        dones=1.0 - held["goes_on"][:, None],
        rewards=held["reward"][:, None],
    )
    agent = SAC("MlpPolicy", Nowhere(), policy_kwargs={"net_arch": [UNITS, UNITS]}, device="cpu", seed=0)
    agent.replay_buffer = type("Memory", (), {"sample": lambda *_, **__: samples})()
    agent.set_logger(configure(None, []))
    draws = 0

    def drawn(*_: object, **__: object) -> torch.Tensor:
        nonlocal draws
        draws += 1
        return held["noise"][(draws - 1) % 2]

    torch.distributions.normal._standard_normal = drawn
    before = networks(agent)
    agent.train(gradient_steps=UPDATES, batch_size=ROWS)
    assert draws == 2 * UPDATES, f"{draws} draws; this library draws otherwise than the file says"
    named = {
        f"{when}/{name}": leaf for when, all in (("before", before), ("after", networks(agent))) for name, leaf in all.items()
    }
    np.savez_compressed(sys.argv[1], **batch, **named)
    return 0


if __name__ == "__main__":
    sys.exit(main())
