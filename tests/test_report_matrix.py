"""Retention matrices as a picture."""

from pathlib import Path

import numpy as np
import pytest

from umwelt.report.matrix import draw_matrices, shares

ONE = {"tasks": ["a", "b"], "lessons": ["a", "b"], "returns": [[8.0, 1.0], [4.0, 5.0]]}
OTHER = {"tasks": ["b", "a"], "lessons": ["b", "a"], "returns": [[10.0, 2.0], [10.0, 6.0]]}


def test_shares_are_of_the_best_that_anybody_reached() -> None:
    found = shares({"one": ONE, "other": OTHER})
    np.testing.assert_allclose(found["one"], [[1.0, 0.1], [0.5, 0.5]])
    np.testing.assert_allclose(found["other"], [[1.0, 0.25], [1.0, 0.75]])


def test_a_picture_is_written_whole(tmp_path: Path) -> None:
    target = draw_matrices({"one": ONE, "other": OTHER}, tmp_path / "new" / "matrix.png")
    assert target.read_bytes().startswith(b"\x89PNG")
    assert [file.name for file in target.parent.iterdir()] == ["matrix.png"]


def test_returns_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="no return on b"):
        shares({"one": {**ONE, "returns": [[8.0, -1.0], [4.0, -5.0]]}})
