"""mixup and CutMix: train on blends of two samples, with blended labels."""

import math

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from dlref.regularization._arguments import check_floating, check_tensor
from dlref.regularization._labels import as_probabilities

__all__ = ["cutmix", "mixup"]


def mixup(
    inputs: Float[Tensor, "n ..."],
    labels: Shaped[Tensor, "..."],
    *,
    alpha: int | float = 1.0,
    num_classes: int | None = None,
) -> tuple[Float[Tensor, "n ..."], Float[Tensor, "n k"]]:
    r"""Blend each sample, and its label, with the one before it in the batch.

    $$
    x'_i = \lambda x_i + (1 - \lambda)\,x_{i-1} \qquad
    y'_i = \lambda y_i + (1 - \lambda)\,y_{i-1} \qquad
    \lambda \sim \text{Beta}(\alpha, \alpha)
    $$

    One $\lambda$ is drawn for the whole batch; the first sample is blended with the
    last. So the batch must be shuffled. The draws are those of
    `torchvision.transforms.v2.MixUp`.

    Args:
        inputs: $x$, of shape (N, ...).
        labels: $y$: class indices of shape (N,), or probabilities of shape (N, K).
        alpha: $\alpha$: 1 draws $\lambda$ uniformly; near 0 one of the two samples
            prevails, above 1 both count alike.
        num_classes: Number $K$ of classes, for indices.

    Returns:
        $x'$ of shape (N, ...), and $y'$, probabilities of shape (N, K).

    Raises:
        TypeError: If the inputs are no tensor of floating point, or the labels no
            tensor of indices or probabilities.
        ValueError: If `alpha` is not positive, the labels' shape does not fit, or
            `num_classes` is missing or wrong.

    Examples:
        >>> x, y = mixup(torch.eye(2), torch.tensor([0, 1]), num_classes=2)
        >>> torch.equal(x, y), torch.allclose(y.sum(1), torch.ones(2))
        (True, True)

    References:
        Zhang et al. (2018), [arXiv:1710.09412](https://arxiv.org/abs/1710.09412),
        section 2; there the partners are drawn from the batch at random.
    """
    check_floating("inputs", inputs)
    y = _check_labels(inputs, labels, num_classes)
    lam = _draw_share(alpha)
    return _blend(inputs, lam), _blend(y, lam)


def cutmix(
    inputs: Shaped[Tensor, "n ..."],
    labels: Shaped[Tensor, "..."],
    *,
    alpha: int | float = 1.0,
    num_classes: int | None = None,
) -> tuple[Shaped[Tensor, "n ..."], Float[Tensor, "n k"]]:
    r"""Paste a box of the image before it in the batch into each image.

    The box has the sides $W\sqrt{1 - \lambda}$ and $H\sqrt{1 - \lambda}$ and a centre
    drawn uniformly; what reaches out of the image is cut off. The labels are blended by
    the area $A$ that the box covers *in fact*:

    $$
    y'_i = \lambda' y_i + (1 - \lambda')\,y_{i-1} \qquad
    \lambda' = 1 - \frac{A}{H W} \qquad
    \lambda \sim \text{Beta}(\alpha, \alpha)
    $$

    One box is drawn for the whole batch; the first image's partner is the last. So the
    batch must be shuffled. The draws are those of `torchvision.transforms.v2.CutMix`.

    Args:
        inputs: Images of shape (N, ..., H, W), of any dtype.
        labels: $y$: class indices of shape (N,), or probabilities of shape (N, K).
        alpha: $\alpha$ of the distribution of $\lambda$.
        num_classes: Number $K$ of classes, for indices.

    Returns:
        The images, and $y'$, probabilities of shape (N, K).

    Raises:
        TypeError: If the inputs are no tensor, or the labels no tensor of indices or
            probabilities.
        ValueError: If `alpha` is not positive, a shape does not fit, or `num_classes`
            is missing or wrong.

    Examples:
        >>> images = torch.arange(2.0).reshape(2, 1, 1, 1).expand(2, 1, 8, 8)
        >>> x, y = cutmix(images, torch.tensor([0, 1]), num_classes=2)
        >>> torch.equal(x.mean(dim=(1, 2, 3)), y[:, 1])  # pixels and labels of class 1
        True

    References:
        Yun et al. (2019), [arXiv:1905.04899](https://arxiv.org/abs/1905.04899),
        section 3.1.
    """
    check_tensor("inputs", inputs)
    if inputs.ndim < 3 or not inputs.numel():
        got = tuple(inputs.shape)
        raise ValueError(f"expected images of shape (N, ..., H, W), got {got}")
    y = _check_labels(inputs, labels, num_classes)
    lam = _draw_share(alpha)
    height, width = inputs.shape[-2:]
    r = 0.5 * math.sqrt(1 - lam)
    left, right = _draw_interval(width, r)
    top, bottom = _draw_interval(height, r)
    mixed = inputs.clone()
    mixed[..., top:bottom, left:right] = inputs.roll(1, 0)[..., top:bottom, left:right]
    covered = (right - left) * (bottom - top) / (width * height)
    return mixed, _blend(y, 1 - covered)


def _draw_share(alpha: int | float) -> float:
    r"""Draw $\lambda$ from Beta(alpha, alpha)."""
    if not 0 < alpha < math.inf:
        raise ValueError(f"expected alpha above 0, got {alpha}")
    a = torch.tensor([float(alpha)])
    return float(torch.distributions.Beta(a, a, validate_args=False).sample())


def _draw_interval(length: int, r: float) -> tuple[int, int]:
    """Draw a centre; return the ends, r * length from it, that lie within."""
    centre = int(torch.randint(length, (1,)))
    half = int(r * length)
    return max(centre - half, 0), min(centre + half, length)


def _blend(x: Tensor, lam: int | float) -> Tensor:
    """Return lam x_i + (1 - lam) x_{i - 1}, rounded as torchvision rounds it."""
    return x.roll(1, 0).mul_(1 - lam).add_(x.mul(lam))


def _check_labels(inputs: Tensor, labels: Tensor, num_classes: int | None) -> Tensor:
    """Return the labels as probabilities, (N, K), or refuse them."""
    check_tensor("labels", labels)
    if labels.ndim == 2:
        y = (
            labels
            if labels.is_floating_point()
            else labels.to(torch.get_default_dtype())
        )
    else:
        y = as_probabilities(labels, num_classes)
    if not inputs.ndim or y.ndim != 2 or len(y) != len(inputs):
        raise ValueError(
            "expected class indices of shape (N,) or probabilities of shape (N, K), "
            f"for inputs of shape {tuple(inputs.shape)}, got {tuple(labels.shape)}"
        )
    if num_classes not in (None, y.shape[1]):
        raise ValueError(f"expected {num_classes} classes, got {y.shape[1]}")
    return y
