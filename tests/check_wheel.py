"""Build the wheel and use it in an environment of its own: `make wheel`.

The environment holds the wheel and what the wheel says it needs, nothing else: a
module, a data file or a dependency that was forgotten shows here.
"""

import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

USE = """
import importlib, pathlib, pkgutil, sys
import dlref
assert "site-packages" in dlref.__file__, dlref.__file__
assert "torch" not in sys.modules
names = [m.name for m in pkgutil.walk_packages(dlref.__path__, "dlref.")]
for name in names:
    importlib.import_module(name)
assert (pathlib.Path(dlref.__file__).parent / "py.typed").is_file()
from dlref.shapes import conv_output_size
assert conv_output_size(224, 7, stride=2, padding=3) == 112
from dlref.information import entropy
assert abs(float(entropy([0.5, 0.25, 0.125, 0.125], base=2)) - 1.75) < 1e-12
from PIL import Image
from dlref.transforms import to_pil_image, to_tensor
image = Image.effect_noise((8, 8), 64)
assert to_pil_image(to_tensor(image)).tobytes() == image.tobytes()
assert "torchvision" not in sys.modules
print(f"dlref {dlref.__version__}: {len(names)} modules import and work")
"""


def main() -> None:
    """Build, install, import, use."""
    with tempfile.TemporaryDirectory() as folder:
        build = [sys.executable, "-m", "build", "--wheel", "--outdir", folder]
        subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        (wheel,) = Path(folder).glob("*.whl")
        strangers = [
            name
            for name in zipfile.ZipFile(wheel).namelist()
            if not name.startswith(("dlref/", "dlref-"))
        ]
        if strangers:
            sys.exit(f"the wheel holds what it should not: {strangers}")
        print(
            f"built {wheel.name}; installing it into a clean environment …", flush=True
        )
        environment = Path(folder) / "venv"
        venv.create(environment, with_pip=True)
        python = environment / "bin" / "python"
        pip = [python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt"]
        subprocess.run([*pip, wheel], check=True)
        subprocess.run([python, "-W", "error", "-c", USE], cwd=folder, check=True)
        command = [environment / "bin" / "dlref", "shape", "224", "--kernel", "7"]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
        if answer.stdout != "218\n":
            sys.exit(f"the command dlref says {answer.stdout!r}, expected 218")


if __name__ == "__main__":
    main()
