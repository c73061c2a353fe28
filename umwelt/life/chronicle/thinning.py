"""A metric for a picture: however many rows a chronicle holds, a few hundred points that show every peak."""

import numpy as np

from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.chronicle.schema import BLOCK

COLUMNS = ("clock", "low", "mean", "high")

ROWS = """
SELECT MAX(clock), MIN(value), SUM(value) / COUNT(*), MAX(value) FROM metrics
WHERE name_id = :name AND seed = :seed AND clock BETWEEN :begin AND :end GROUP BY clock / :width
"""
# A block that sticks out over an end is left out, and its rows inside are read one by one.
BLOCKS = f"""
SELECT MAX(last), MIN(low), SUM(total) / SUM(count), MAX(high) FROM (
    SELECT block * {BLOCK} AS clock, last, low, high, total, count FROM blocks
    WHERE name_id = :name AND seed = :seed AND block BETWEEN :first AND :final
    UNION ALL
    SELECT clock, clock, value, value, value, 1 FROM metrics
    WHERE name_id = :name AND seed = :seed AND clock BETWEEN :begin AND :first * {BLOCK} - 1
    UNION ALL
    SELECT clock, clock, value, value, value, 1 FROM metrics
    WHERE name_id = :name AND seed = :seed AND clock BETWEEN (:final + 1) * {BLOCK} AND :end
) GROUP BY clock / :width ORDER BY 1
"""


def thinned(chronicle: Chronicle, name: str, seed: int, begin: int, end: int, points: int) -> dict[str, np.ndarray]:
    """One metric of one seed from clock `begin` to `end`, both included, in at most `points` stretches of equal length.

    Columns: clock int64, that of a stretch's last row; low, mean, high float64 over all its rows. Stretches lie at
    multiples of their length, so they stay where they are when the window moves; stretches without rows are left out.
    """
    if points < 2:
        raise ValueError(f"points={points}: a picture needs at least 2")
    number = chronicle.number_of(name)
    # a window that begins inside a stretch has one stretch more than its length fills
    width = max(1, -(-(end - begin + 1) // (points - 1)))
    asked = {"name": number, "seed": int(seed), "begin": int(begin), "end": int(end), "width": width}
    order = ROWS
    if width >= BLOCK and chronicle.has_blocks:
        asked["width"] = -(-width // BLOCK) * BLOCK
        asked["first"], asked["final"] = -(-int(begin) // BLOCK), (int(end) + 1) // BLOCK - 1
        order = BLOCKS
    rows = chronicle.rows(order, asked)
    table = np.array([[np.nan if value is None else value for value in row] for row in rows], np.float64).reshape(-1, 4)
    columns = dict(zip(COLUMNS, table.T, strict=True))
    return {**columns, "clock": columns["clock"].astype(np.int64)}
