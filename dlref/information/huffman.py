"""The code whose mean length comes closest to the entropy."""

import heapq

from dlref.information._distribution import Distribution, as_distribution, as_tensor

__all__ = ["huffman_code_lengths"]


def huffman_code_lengths(p: Distribution) -> list[int]:
    r"""Return the lengths of the code words of a Huffman code.

    The two least probable nodes are merged into one, until one is left; a symbol's
    length is the number of merges that it went through. No prefix code has a smaller
    mean length $L = \sum_x p(x)\, l(x)$, and $H(P) \le L < H(P) + 1$ in bits.

    Among equal probabilities the older node is merged first (symbols in their order,
    then merged nodes in theirs). That makes the code deterministic and, where no sum is
    rounded, its longest word as short as an optimal code allows.

    Args:
        p: Probabilities of the symbols, one axis; they sum to one.

    Returns:
        Bits per symbol, in the order of `p`. Symbols of probability 0 get no word:
        their length is 0, and Kraft's equality $\sum 2^{-l} = 1$ is over the others.
        The length of the only possible symbol is 0 too: nothing needs to be sent.

    Raises:
        TypeError: If `p` does not hold real numbers.
        ValueError: If it has not exactly one axis or is no distribution: see
            [`entropy`][dlref.information.entropy].

    Examples:
        >>> huffman_code_lengths([1 / 2, 1 / 4, 1 / 8, 1 / 8])
        [1, 2, 3, 3]

    References:
        Huffman (1952), A method for the construction of minimum-redundancy codes,
        [doi:10.1109/JRPROC.1952.273898](https://doi.org/10.1109/JRPROC.1952.273898).
    """
    p = as_tensor("p", p)
    if p.ndim != 1:
        raise ValueError(f"expected p to have one axis, got the shape {tuple(p.shape)}")
    checked, _ = as_distribution("p", p, 0)
    weights = [float(weight) for weight in checked.detach().cpu()]
    heap = [(weight, symbol) for symbol, weight in enumerate(weights) if weight > 0]
    heapq.heapify(heap)
    parent: dict[int, int] = {}
    for node in range(len(weights), len(weights) + len(heap) - 1):
        (a, i), (b, j) = heapq.heappop(heap), heapq.heappop(heap)
        parent[i] = parent[j] = node
        heapq.heappush(heap, (a + b, node))
    length: dict[int, int] = {}  # merges above a node, from the root down
    for node in sorted(parent, reverse=True):
        length[node] = length.get(parent[node], 0) + 1
    return [length.get(symbol, 0) for symbol in range(len(weights))]
