"""Five updates of d3rlpy's learners of logs on one batch, with the noise written down: what ours must do too.

    python -m venv build/peer_offline
    build/peer_offline/bin/pip install torch==2.13.0+cpu d3rlpy==2.8.1
    build/peer_offline/bin/python tests/offline_updates.py tests/offline_updates.npz

`tests/test_behaviours_peers.py` reads the file. `NAME/before` and `NAME/after` are all weights of a learner, one after the
other: policy, critics, target critics, and what it has beside. The batch of all: now, action, choice, reward, goes_on, after,
to_come. The noise of all, the same in every update: target, policy [N, A] of actions at `after` and `now`; here, there
[n, N, A] of several actions at each; even [n, N, A], actions that are uniform.

Every target network begins apart from its network, so that one cannot stand for the other. Updates are counted from 1, as
published code of TD3 does; then the actor moves in the second and the fourth.
"""

import sys
from typing import Any

import d3rlpy
import numpy as np
import torch
from d3rlpy.models import VectorEncoderFactory
from d3rlpy.torch_utility import TorchMiniBatch

ROWS, SEEN, ACTS, CHOICES, UNITS, UPDATES, DRAWS = 32, 3, 2, 3, 6, 5, 4
NETWORK = VectorEncoderFactory(hidden_units=[UNITS, UNITS])
RATE = 0.01
"""A large step: after five small ones Adam has seen little more than the signs of the slopes."""
BOTH: dict[str, Any] = {
    "actor_encoder_factory": NETWORK,
    "critic_encoder_factory": NETWORK,
    "actor_learning_rate": RATE,
    "critic_learning_rate": RATE,
}
CAUTIOUS: dict[str, Any] = {**BOTH, "temp_learning_rate": 0.0, "alpha_learning_rate": 0.0, "n_action_samples": DRAWS}
NEVER = 1000
"""An interval of updates in which no target network is copied."""
OVER_CHOICES: dict[str, Any] = {"encoder_factory": NETWORK, "learning_rate": RATE, "target_update_interval": NEVER}
LEARNERS = {
    "iql": d3rlpy.algos.IQLConfig(**BOTH, value_encoder_factory=NETWORK),
    "td3_bc": d3rlpy.algos.TD3PlusBCConfig(**BOTH),
    "cql": d3rlpy.algos.CQLConfig(**CAUTIOUS),
    "cal_ql": d3rlpy.algos.CalQLConfig(**CAUTIOUS, soft_q_backup=True),
    "dqn": d3rlpy.algos.DoubleDQNConfig(**OVER_CHOICES),
    "cql_of_choices": d3rlpy.algos.DiscreteCQLConfig(**OVER_CHOICES, alpha=0.7),
}
OF_CHOICES = ("dqn", "cql_of_choices")


def weights(modules: Any) -> np.ndarray:
    """All that learns, float32 [W]."""
    parts = [part for part in vars(modules).values() if isinstance(part, torch.nn.Module)]
    return np.concatenate([leaf.detach().numpy().ravel() for part in parts for leaf in part.parameters()])


def batch_of(held: dict[str, torch.Tensor], action: torch.Tensor) -> TorchMiniBatch:
    """The batch as d3rlpy has it."""
    return TorchMiniBatch(
        observations=held["now"],
        actions=action,
        rewards=held["reward"][:, None],
        next_observations=held["after"],
        next_actions=torch.zeros_like(action),
        returns_to_go=held["to_come"][:, None],
        terminals=1.0 - held["goes_on"][:, None],
        intervals=torch.ones(ROWS, 1),
        device="cpu",
    )


def learned(name: str, held: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """The weights of a learner before and after its updates."""
    torch.manual_seed(0)
    agent = LEARNERS[name].create()
    of_choices = name in OF_CHOICES
    agent.create_impl((SEEN,), CHOICES if of_choices else ACTS)
    impl = agent.impl
    modules = impl._modules
    for part in vars(modules):
        if part.startswith("targ_"):
            for leaf in getattr(modules, part).parameters():
                leaf.data += 0.2 * torch.randn(leaf.shape)
    batch = batch_of(held, held["choice"][:, None] if of_choices else held["action"])
    several = [held["here"], held["there"]]
    wanted = {"td3_bc": [held["target"]], "cql": [*several, held["policy"]], "cal_ql": [held["target"], *several, held["policy"]]}
    before, left = weights(modules), []

    def drawn(shape: Any, **_: Any) -> torch.Tensor:
        noise = left.pop(0)
        assert noise.shape == torch.Size(shape), f"{shape}: this library draws otherwise than the file says"
        return noise

    def even(self: torch.Tensor, low: float, high: float) -> torch.Tensor:
        assert (low, high) == (-1.0, 1.0)
        return self.copy_(held["even"].transpose(0, 1).reshape(-1, ACTS))

    plain = torch.randn, torch.distributions.normal._standard_normal, torch.Tensor.uniform_
    torch.randn, torch.distributions.normal._standard_normal = drawn, lambda shape, dtype, device: drawn(shape)
    torch.Tensor.uniform_ = even
    for update in range(1, UPDATES + 1):
        left = list(wanted.get(name, []))
        if of_choices:
            assert_small(impl, batch)
        impl.update(batch, update)
        assert not left, f"{len(left)} draws are left; this library draws otherwise than the file says"
    torch.randn, torch.distributions.normal._standard_normal, torch.Tensor.uniform_ = plain
    return {f"{name}/before": before, f"{name}/after": weights(modules)}


def assert_small(impl: Any, batch: TorchMiniBatch) -> None:
    """Below 1 an error counts by its square, as ours always does; above, d3rlpy cuts it off."""
    with torch.no_grad():
        wanted = batch.rewards + 0.99 * impl.compute_target(batch) * (1 - batch.terminals)
        valued = impl.q_function[0](batch.observations).q_value.gather(1, batch.actions.long())
    assert float((wanted - valued).abs().max()) < 1.0


def main() -> int:
    """Learn, and write."""
    random = np.random.default_rng(0)
    several = (DRAWS, ROWS, ACTS)
    made = {
        "now": random.normal(size=(ROWS, SEEN)),
        "action": random.uniform(-1, 1, (ROWS, ACTS)),
        "choice": random.integers(0, CHOICES, ROWS),
        "reward": 0.2 * random.normal(size=ROWS),
        "goes_on": random.uniform(size=ROWS) > 0.2,
        "after": random.normal(size=(ROWS, SEEN)),
        "to_come": 0.3 * random.normal(size=ROWS),
        "target": random.normal(size=(ROWS, ACTS)),
        "policy": random.normal(size=(ROWS, ACTS)),
        "here": random.normal(size=several),
        "there": random.normal(size=several),
        "even": random.uniform(-1, 1, several),
    }
    made = {name: value.astype(np.float32) for name, value in made.items()}
    held = {name: torch.as_tensor(value) for name, value in made.items()}
    found = {leaf: value for name in LEARNERS for leaf, value in learned(name, held).items()}
    np.savez_compressed(sys.argv[1], **made, **found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
