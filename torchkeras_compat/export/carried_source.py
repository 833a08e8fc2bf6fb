"""Classes that carry their source: what is pickled of them works in a process that has torch alone.

A pickle names the class of each object, and whoever reads it has to find a class of that name. The classes of an
exported model stand in no file, so each of them is pickled as the source that makes it, with this file in front.
"""

import hashlib
import linecache
import sys
import types
from typing import Any

RESTORE = "(exec(loader, globals()), new_object(load(source, loader), name))[1]"


def load(source: str, loader: str) -> types.ModuleType:
    """Return the module that a source makes, the same one each time in a process.

    Args:
        source: The text of the module.
        loader: The text of this file.
    """
    name = "exported_" + hashlib.sha256(source.encode()).hexdigest()[:16]
    if name not in sys.modules:
        module = types.ModuleType(name)
        module.__file__ = f"<{name}>"
        linecache.cache[module.__file__] = (len(source), None, source.splitlines(True), module.__file__)
        exec(compile(source, module.__file__, "exec"), module.__dict__)
        classes: list[Any] = [value for value in vars(module).values() if isinstance(value, type)]
        for cls in classes:
            if cls.__module__ == name:
                cls.carried, cls.__reduce_ex__ = (source, loader), reduce_with_source
        sys.modules[name] = module
    return sys.modules[name]


def new_object(module: types.ModuleType, name: str) -> Any:
    """Return an object of a class of a module, without its state.

    Args:
        module: The module.
        name: The name of the class.
    """
    cls = getattr(module, name)
    return cls.__new__(cls)


def reduce_with_source(self: Any, protocol: Any) -> Any:
    """Return what pickles an object: an expression that makes its class anew, and the state.

    Args:
        self: The object.
        protocol: The version of pickle's format.
    """
    source, loader = type(self).carried
    names = {"source": source, "loader": loader, "name": type(self).__name__}
    return eval, (RESTORE, names), dict(self.__dict__)
