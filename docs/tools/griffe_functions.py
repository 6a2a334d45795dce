"""Let `dlref.models.nin` name the function on the API pages, as it does in Python.

`dlref.models` has a file `nin.py` and exports the function `nin` from it. In Python the
import binds the name to the function; griffe, which reads the sources, keeps the file.
"""

from typing import Any

import griffe

__all__ = ["PreferFunctions"]


class PreferFunctions(griffe.Extension):
    """Replace a submodule where the package exports a member of it by the same name."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Walk through a package once all of it is loaded."""
        for module in pkg.modules.values():
            if isinstance(module, griffe.Module):
                self.on_package(pkg=module)
        hidden = [
            name
            for name in pkg.exports or ()
            if isinstance(name, str)
            and pkg.imports.get(name) == f"{pkg.path}.{name}.{name}"
            and name in pkg.modules
        ]
        if hidden:  # while every path through a submodule can still be followed
            for member in pkg.members.values():
                if isinstance(member, griffe.Alias):
                    member.resolve_target()
        for name in hidden:
            target = pkg.modules[name].members[name]
            pkg.members[name] = griffe.Alias(name, target, parent=pkg)
