"""Free memory that is kept, counted in the pages that the system had to hand out."""

import platform
import resource

import numpy as np
import pytest

from umwelt.life.allocator import keep_heap


def test_the_users_own_settings_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1000000")
    assert not keep_heap()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library can be asked to keep memory")
def test_blocks_are_not_asked_for_again() -> None:
    assert keep_heap()

    def pages(times: int) -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(times):
            np.empty(12_000_000, np.float32).fill(1.0)  # 48 MB, beyond the library's own bound of 32
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    once = max(pages(1), 100)
    assert pages(20) < 3 * once
