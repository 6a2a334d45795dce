"""One transform made of several."""

from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["Compose"]


class Compose:
    """Apply transforms one after another, each to the result of the one before.

    Args:
        transforms: Callables of one argument, of whatever kind.

    Raises:
        TypeError: If one of them is not callable.

    Examples:
        >>> transform = Compose([abs, float])
        >>> transform(-3)
        3.0
        >>> transform
        Compose(
            <built-in function abs>
            <class 'float'>
        )

    References:
        [torchvision.transforms.Compose](https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Compose.html)
    """

    def __init__(self, transforms: Iterable[Callable[[Any], Any]]) -> None:
        """Keep the transforms, in a list of its own."""
        self.transforms = list(transforms)
        for i, transform in enumerate(self.transforms):
            if not callable(transform):
                raise TypeError(f"transforms[{i}] must be callable, got {transform!r}")

    def __call__(self, img: Any) -> Any:  # noqa: ANN401 - what the transforms take
        """Return the result of the last transform."""
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        """Return one line a transform, as torchvision prints it."""
        lines = "".join(f"\n    {transform}" for transform in self.transforms)
        return f"{type(self).__name__}({lines}\n)"
