"""Make `import torchvision` work beside a CPU build of torch.

The published torchvision wheel is a CUDA build: its compiled library cannot load where
torch has no CUDA, and the import then stops at the missing operator `nms`. The parts
used here as an oracle (transforms, model definitions) are pure Python and need only the
operator's *schema*, so the schema is declared when, and only when, torch has no CUDA.
"""

import importlib.util

_libraries: list[
    object
] = []  # a torch.library.Library lives only as long as its handle


def prepare_torchvision() -> None:
    """Declare the two schemas that `import torchvision` looks up; repeat at will."""
    if _libraries or importlib.util.find_spec("torchvision") is None:
        return
    import torch

    if torch.version.cuda is not None or hasattr(torch.ops.torchvision, "nms"):
        return
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _libraries.append(library)
