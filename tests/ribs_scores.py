"""Novelty, coverage and QD score as pyribs 0.12 computes them: what ours must be too.

    python3 -m venv build/ribs && build/ribs/bin/pip install ribs==0.12.0
    build/ribs/bin/python tests/ribs_scores.py tests/ribs_scores.npz

`tests/test_curiosity_novelty.py` reads the file. For each width of a trait, `known/W` and `points/W`, and `novelty/W/K`
of the points for K neighbours; `places` and `returns`, and the `coverage` and `score` of a grid of 12 by 8.
"""

import sys

import numpy as np
from ribs.archives import GridArchive, ProximityArchive


def main() -> int:
    """Compute, and write."""
    random = np.random.default_rng(0)
    found: dict[str, np.ndarray] = {}
    for width in (2, 20):
        known, points = random.normal(size=(40, width)), random.normal(size=(10, width))
        found |= {f"known/{width}": known.astype(np.float32), f"points/{width}": points.astype(np.float32)}
        for neighbours in (1, 15, 100):
            archive = ProximityArchive(
                solution_dim=1, measure_dim=width, k_neighbors=neighbours, novelty_threshold=0.0, dtype=np.float64
            )
            archive.add(np.zeros((40, 1)), np.zeros(40), found[f"known/{width}"].astype(np.float64))
            assert len(archive) == 40
            found[f"novelty/{width}/{neighbours}"] = archive.compute_novelty(found[f"points/{width}"].astype(np.float64))
    places, returns = random.uniform(-1, 1, (150, 2)).astype(np.float32), random.uniform(-2, 3, 150).astype(np.float32)
    grid = GridArchive(solution_dim=1, dims=[12, 8], ranges=[(-1, 1), (-1, 1)], qd_score_offset=-2.0, dtype=np.float64)
    grid.add(np.zeros((150, 1)), returns.astype(np.float64), places.astype(np.float64))
    found |= {"places": places, "returns": returns}
    found |= {"coverage": np.asarray(grid.stats.coverage), "score": np.asarray(grid.stats.qd_score)}
    np.savez_compressed(sys.argv[1], **found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
