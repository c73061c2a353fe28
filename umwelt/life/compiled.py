"""Compiled programs are kept in the user's cache folder, so that the second life starts faster than the first."""

import os
from pathlib import Path
from typing import Any

import jax


def keep_compiled() -> Path:
    """Point JAX at the cache, unless the user has chosen one."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "umwelt" / "compiled"
    config: Any = jax.config  # its attributes are made when JAX is imported
    if not config.jax_compilation_cache_dir:
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
    return folder
