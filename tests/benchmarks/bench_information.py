"""What to time of dlref.information, against torch.distributions.

Both sides check their input (torch.distributions with its default `validate_args`).
"""

from collections.abc import Iterator

import torch
from torch.distributions import Categorical
from torch.distributions import kl_divergence as torch_kl_divergence

from dlref.information import entropy, kl_divergence
from tests.benchmarks.harness import Case

SMALL, LARGE = 1.2, 1.05


def cases() -> list[Case]:
    """Return the cases, small (overhead) and large (memory)."""
    generator = torch.Generator().manual_seed(0)
    return [
        case
        for rows, columns, target in ((1, 10, SMALL), (128, 1000, LARGE))
        for case in _cases(
            *torch.randn(2, rows, columns, generator=generator).softmax(-1), target
        )
    ]


def _cases(p: torch.Tensor, q: torch.Tensor, target: float) -> Iterator[Case]:
    rows, columns = p.shape
    size = f"{rows}×{columns}"
    yield Case(
        "entropy",
        f"Categorical {size}",
        lambda: entropy(p),
        lambda: Categorical(probs=p).entropy(),
        target,
    )
    yield Case(
        "kl_divergence",
        f"Categorical {size}",
        lambda: kl_divergence(p, q),
        lambda: torch_kl_divergence(Categorical(probs=p), Categorical(probs=q)),
        target,
    )
