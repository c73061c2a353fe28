"""Settings that hold for all tests and for the processes that they start."""

import ctypes
import gc
import os
import shutil
import threading
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import hypothesis
import pytest
from deep import waits

CACHE = Path(__file__).parent.parent / ".pytest_cache" / "jax"
"""Compiled programs, which both workers and later runs share."""
STARTED = CACHE.with_name("jax_started")
"""Those of the processes that tests start. One that is killed can leave half an entry, which is then compiled again."""
SIZE = 1_000_000_000
"""Bytes of a cache above which a run starts with an empty one."""
LARGE = 3_000_000_000
"""Bytes of a worker above which it lets go of its compiled programs between two files: two workers must leave room for the
processes that tests start, and JAX itself forgets programs where it holds more than some thousands."""
SLOW = 0.1
"""Seconds of compilation above which a program is kept; smaller ones compile sooner than they load."""

PROGRAMS = 500
"""Programs that are lowered in one context, which keeps the types and places in the source of all of them."""

# Most tests compile many small programs and run each once: with these flags the compiler takes half the
# time. `make test` asks for them, but not for the tests marked `exact`, which compare bits of two programs.
# Small programs are not worth being cut into pieces that compile beside each other. Some XLAs do not know all of the
# flags, and would stop at one.
if os.environ.get("UMWELT_QUICK_COMPILER"):
    FLAGS = ["--xla_backend_optimization_level=0"]
    if version("jaxlib").startswith("0.10."):
        FLAGS += ["--xla_llvm_disable_expensive_passes=true", "--xla_cpu_use_fusion_emitters=false"]
        FLAGS += ["--xla_cpu_parallel_codegen_split_count=1"]
    os.environ.setdefault("XLA_FLAGS", " ".join(FLAGS))
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(STARTED))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", str(SLOW))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

# A trace makes millions of small objects, most of which live on. To look through them for cycles at every 700th of them, as
# Python does by itself, takes a tenth of a test's time.
gc.set_threshold(100_000, 20, 50)

# `make test` tries the same examples every time. `make fuzz` draws others for as long as one likes.
# Data generation may be slow on a busy machine, which is no fault of a test.
BUSY = (hypothesis.HealthCheck.too_slow,)
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None, suppress_health_check=BUSY)
hypothesis.settings.register_profile(
    "fuzz", derandomize=False, deadline=None, database=None, suppress_health_check=BUSY, print_blob=True
)
hypothesis.settings.load_profile("repeatable")


def pytest_configure(config: pytest.Config) -> None:
    """Share compiled programs between the workers and with later runs.

    The tests marked `exact` have their own compiler, and compile everything themselves.
    """
    if not os.environ.get("UMWELT_QUICK_COMPILER"):
        return
    import jax

    for folder in (CACHE, STARTED):
        large = folder.exists() and sum(file.stat().st_size for file in folder.iterdir()) > SIZE
        if large and not hasattr(config, "workerinput"):
            shutil.rmtree(folder)
    share_contexts()
    jax.config.update("jax_compilation_cache_dir", str(CACHE))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", SLOW)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    config.addinivalue_line("filterwarnings", "ignore:Error (reading|writing) persistent compilation cache:UserWarning")


def share_contexts() -> None:
    """Lower all programs of a thread in one MLIR context, where this JAX makes contexts as those before it.

    JAX makes a context for each program, and loads all dialects into it: a third of the time of a small program.
    """
    from jax._src.interpreters import mlir

    if not version("jaxlib").startswith("0.10.") or not hasattr(mlir, "make_ir_context"):
        return
    make, here = mlir.make_ir_context, threading.local()

    def shared():
        if getattr(here, "left", 0) == 0:
            here.context, here.left = make(), PROGRAMS
        here.left -= 1
        return here.context

    mlir.make_ir_context = shared


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that wait, before any are chosen by their marks."""
    for item in items:
        if waits(item.nodeid.removeprefix("tests/")):
            item.add_marker("deep")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave what was collected out of all searches for cycles: it stays until the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def release_programs() -> Iterator[None]:
    """Let go of compiled programs after a file, where they have become many."""
    yield
    if resident() > LARGE:
        import jax

        jax.clear_caches()
        gc.collect()
        if hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
            libc.malloc_trim(0)  # without it glibc keeps the memory, and each file would begin without programs


def resident() -> int:
    """Bytes of this process in memory; 0 where the system does not say."""
    path = Path("/proc/self/statm")
    return int(path.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if path.exists() else 0
