"""Print what an extra of `pyproject.toml` needs, one requirement a line.

    pip install -c constraints.txt $(python docs/tools/requirements.py docs)

installs what builds the site, and not the package with its torch.
"""

import sys
import tomllib
from pathlib import Path


def main(extra: str) -> None:
    """Print the requirements of one extra."""
    path = Path(__file__).resolve().parents[2] / "pyproject.toml"
    extras = tomllib.loads(path.read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    if extra not in extras:
        sys.exit(f"no extra {extra!r}; there are {', '.join(extras)}")
    print("\n".join(requirement.replace(" ", "") for requirement in extras[extra]))


if __name__ == "__main__":
    main(*sys.argv[1:2] or ["docs"])
