"""Pack the built site into one zip that opens by double click: `make offline`.

The same site gives the same bytes: entries are sorted and dated alike. Source maps of
the theme's scripts, which only its developers' tools fetch, stay out.
"""

import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip can hold


def pack(site: Path, target: Path) -> int:
    """Write every file of `site` below one folder of `target`; return its size."""
    target.parent.mkdir(parents=True, exist_ok=True)
    files = sorted(
        path for path in site.rglob("*") if path.is_file() and path.suffix != ".map"
    )
    if not files:
        raise ValueError(f"expected a built site in {site}, found nothing")
    with zipfile.ZipFile(target, "w") as archive:
        for path in files:
            name = f"dlref/{path.relative_to(site).as_posix()}"
            info = zipfile.ZipInfo(name, DATE)
            info.external_attr = 0o644 << 16
            archive.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)
    return target.stat().st_size


def main() -> int:
    """Pack `site/` into `dist/dlref-site.zip`."""
    target = ROOT / "dist" / "dlref-site.zip"
    size = pack(ROOT / "site", target)
    print(f"wrote {target.relative_to(ROOT)} ({size / 1e6:.1f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
