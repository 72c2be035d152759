"""What the modules of a folder declare of themselves: adding a module to the folder is enough."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import TypeVar

Declared = TypeVar("Declared")


def declared(package: ModuleType, constant: str, kind: type[Declared]) -> list[Declared]:
    """The value of `constant` in each module of `package` that has it, by the modules' names.

    A module without the constant is a part of the others and is passed over. Raises TypeError
    where the constant is not a `kind`: a module's fault, not a user's.
    """
    found = []
    for name in sorted(module.name for module in pkgutil.iter_modules(package.__path__)):
        module = importlib.import_module(f"{package.__name__}.{name}")
        if hasattr(module, constant):
            value = getattr(module, constant)
            if not isinstance(value, kind):
                raise TypeError(f"{module.__name__}.{constant} must be a {kind.__name__}")
            found.append(value)
    return found
