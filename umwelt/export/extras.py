"""Packages that only some exports need: each is an extra of the installation."""

import importlib
from typing import Any


class ExportError(Exception):
    """An export or a log is impossible. The message is one sentence: what is wrong, and what to do."""


def library(name: str, extra: str) -> Any:
    """Import the module `name`, which the extra `extra` installs."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ExportError(f"{extra} needs the package {name} ({error}): pip install 'umwelt[{extra}]'") from error
