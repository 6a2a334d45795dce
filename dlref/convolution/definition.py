"""Cross-correlation as it is defined: a window slides, multiplies and adds."""

import torch
from jaxtyping import Shaped
from torch import Tensor

__all__ = ["corr2d"]


def corr2d(
    X: Shaped[Tensor, "h w"], K: Shaped[Tensor, "kh kw"]
) -> Shaped[Tensor, "oh ow"]:
    r"""Return the cross-correlation of an image with a kernel, by its definition.

    $$Y_{i,j} = \sum_{0 \le u < k_h} \; \sum_{0 \le v < k_w} K_{u,v}\, X_{i+u,\,j+v}$$

    One channel, one kernel, stride 1, no padding: two loops that can be checked by eye.
    [`conv2d`][dlref.convolution.conv2d] computes the same, and the rest, at speed.

    Args:
        X: Image $X$ of shape (h, w).
        K: Kernel $K$ of shape ($k_h$, $k_w$), no larger than the image.

    Returns:
        Map $Y$ of shape ($h - k_h + 1$, $w - k_w + 1$).

    Raises:
        TypeError: If one of them is no tensor.
        ValueError: If one is not a matrix, or the kernel is empty or exceeds the image.

    Examples:
        >>> import torch
        >>> X = torch.arange(9.0).reshape(3, 3)
        >>> K = torch.arange(4.0).reshape(2, 2)
        >>> corr2d(X, K)
        tensor([[19., 25.],
                [37., 43.]])

    References:
        Zhang et al. (2023), Dive into Deep Learning, section 7.2, whose function and
        example these are,
        [d2l.ai](https://d2l.ai/chapter_convolutional-neural-networks/conv-layer.html).
    """
    for name, matrix in (("X", X), ("K", K)):
        if not isinstance(matrix, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(
                f"expected {name} to be a Tensor, got {type(matrix).__name__}"
            )
        if matrix.dim() != 2:
            raise ValueError(
                f"expected {name} to be a matrix, got one of shape {(*matrix.shape,)}"
            )
    kh, kw = K.shape
    oh, ow = X.shape[0] - kh + 1, X.shape[1] - kw + 1
    if min(kh, kw, oh, ow) < 1:
        raise ValueError(
            f"expected a kernel within the image, got {(kh, kw)} on {(*X.shape,)}"
        )
    rows = [
        torch.stack([(K * X[i : i + kh, j : j + kw]).sum() for j in range(ow)])
        for i in range(oh)
    ]
    return torch.stack(rows)
