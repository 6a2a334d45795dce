"""Colours as hue, saturation and value, and back.

References:
    Smith (1978), Color gamut transform pairs, hexcone model,
    [doi:10.1145/965139.807361](https://doi.org/10.1145/965139.807361).
"""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["hsv_to_rgb", "rgb_to_hsv"]


def rgb_to_hsv(
    img: Float[Tensor, "*batch 3 h w"],
) -> tuple[
    Float[Tensor, "*batch h w"],
    Float[Tensor, "*batch h w"],
    Float[Tensor, "*batch h w"],
]:
    r"""Return hue, saturation and value of an RGB image, each from 0 to 1.

    With $V = \max(R, G, B)$ and the range $c = V - \min(R, G, B)$,

    $$S = \frac{c}{V}, \quad r = \frac{V - R}{c}, \quad g = \frac{V - G}{c}, \quad
    b = \frac{V - B}{c}$$

    $$6H = \begin{cases} b - g & V = R \\ 2 + r - b & V = G \\ 4 + g - r & V = B
    \end{cases} \pmod 6$$

    A grey pixel ($c = 0$) has hue and saturation 0.

    Args:
        img: Red, green and blue, from 0 to 1.

    Returns:
        H, S and V.
    """
    R, G, B = img.unbind(dim=-3)  # 3 x (..., H, W)
    V, low = img.max(dim=-3).values, img.min(dim=-3).values
    is_gray = low == V
    c = V - low
    S = c / V.masked_fill(is_gray, 1)
    c = c.masked_fill(is_gray, 1)
    r, g, b = (V - R) / c, (V - G) / c, (V - B) / c
    H = torch.where(V == R, b - g, torch.where(V == G, 2 + r - b, 4 + g - r))
    return (H / 6 + 1).fmod(1), S, V


def hsv_to_rgb(
    H: Float[Tensor, "*batch h w"],
    S: Float[Tensor, "*batch h w"],
    V: Float[Tensor, "*batch h w"],
) -> Float[Tensor, "*batch 3 h w"]:
    r"""Return the RGB image of a hue, saturation and value, each from 0 to 1.

    Around the wheel, $x = 6H$, each colour is fully there for a third of the turn,
    absent for a third, and on its way in between. Its absence $a$, from 0 to 1, takes
    away from the value in proportion to the saturation:

    $$a_R = \operatorname{clip}(\min(x - 1,\, 5 - x)), \quad
    a_G = \operatorname{clip}(\max(1 - x,\, x - 3)), \quad
    a_B = \operatorname{clip}(\max(3 - x,\, x - 5))$$

    $$(R, G, B) = V \, (1 - S\, a)$$

    Args:
        H: Hue, in turns: 0 red, 1/3 green, 2/3 blue.
        S: Saturation.
        V: Value, the largest of the three colours.

    Returns:
        Red, green and blue, from 0 to 1.

    Examples:
        >>> one = torch.ones(1, 1)
        >>> hsv_to_rgb(one * 0.25, one, one).flatten()  # between yellow and green
        tensor([0.5000, 1.0000, 0.0000])
    """
    x = 6 * H
    a = (
        torch.minimum(x - 1, 5 - x),
        torch.maximum(1 - x, x - 3),
        torch.maximum(3 - x, x - 5),
    )
    absence = torch.stack(a, dim=-3).clamp(0, 1)  # (..., 3, H, W)
    return V.unsqueeze(-3) * (1 - S.unsqueeze(-3) * absence)
