"""What tests/test_parity.py measures of dlref.linear: torch's, in float64."""

from itertools import pairwise, product

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlref import linear as ours
from tests.parity_cases import Pairs, case


def draw(*shape: int, seed: int = 0) -> Tensor:
    """Draw standard normal numbers."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


@case("dlref.linear.linear", "torch.nn.functional.linear", 1e-12)
def linear() -> Pairs:
    for batch, bias in product([(), (5,), (2, 5)], (True, False)):
        results = []
        for f in (ours.linear, F.linear):
            given = [draw(*batch, 7), draw(4, 7, seed=1), draw(4, seed=2)]
            leaves = [x.requires_grad_() for x in given[: 2 + bias]]
            y = f(*leaves)
            results.append((y, *torch.autograd.grad(y.square().sum(), leaves)))
        yield from zip(*results, strict=True)


@case("dlref.linear.Linear", "torch.nn.Linear: draws and outputs")
def layer() -> Pairs:
    for sizes, bias in product([(7, 4), (784, 10)], (True, False)):
        layers = []
        for kind in (ours.Linear, nn.Linear):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                layers.append(kind(*sizes, bias, dtype=torch.float64))
        mine, theirs = layers
        yield from zip(mine.parameters(), theirs.parameters(), strict=True)
        x = draw(5, sizes[0])
        yield mine(x), theirs(x)


@case("dlref.linear.MLP", "torch.nn.Sequential", 1e-12)
def network() -> Pairs:
    for sizes in [(7, 4), (7, 16, 4), (7, 16, 8, 4)]:
        mine = ours.MLP(sizes, dtype=torch.float64)
        steps: list[nn.Module] = []
        for n_in, n_out in pairwise(sizes):
            steps += [nn.Linear(n_in, n_out, dtype=torch.float64), nn.ReLU()]
        theirs = nn.Sequential(*steps[:-1])
        state = zip(theirs.state_dict(), mine.state_dict().values(), strict=True)
        theirs.load_state_dict(dict(state))
        yield mine(draw(5, 7)), theirs(draw(5, 7))
