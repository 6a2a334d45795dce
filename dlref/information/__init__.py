r"""Entropy, divergences and mutual information of discrete distributions.

The unit is the base of the logarithm: nats without a base (as in SciPy and torch), bits
with `base=2`, hartleys (decimal digits) with `base=10`. Throughout, $0 \log 0 = 0$ and
$p \log (p / 0) = +\infty$.

A distribution is a tensor whose axis `dim` sums to one, the other axes being a batch;
or an array or a (nested) sequence of numbers, which becomes a tensor, of float64 unless
it is an array of float16 or float32. float16 and bfloat16 are computed in float32.

Gradients flow. Where a slope is infinite at $p = 0$, as that of $-p \log p$ is, the
logarithm of the dtype's smallest normal number stands for $\log 0$: a finite slope
keeps the gradient of a softmax, which multiplies it by $p = 0$, free of NaN.

References:
    Cover and Thomas (2006), Elements of Information Theory, 2nd edition, chapters 2 and
    5, [doi:10.1002/047174882X](https://doi.org/10.1002/047174882X).
"""

from dlref.information.huffman import huffman_code_lengths
from dlref.information.measures import (
    cross_entropy,
    entropy,
    js_divergence,
    kl_divergence,
    mutual_information,
)

__all__ = [
    "cross_entropy",
    "entropy",
    "huffman_code_lengths",
    "js_divergence",
    "kl_divergence",
    "mutual_information",
]
