"""Image transforms, with torchvision's names, signatures and results.

PIL images and arrays become tensors and come back (`conversion`, `pil_image`); tensors
are shifted and scaled by channel (`normalization`); images of either kind are cropped,
resized, padded, turned and recoloured (`geometry`, `resample`, `padding`, `warp`,
`color`), at random if wanted (`augment`, `augment_warp`, `jitter`); and `compose`
strings all that together.
"""

from dlref.transforms.augment import (
    RandomCrop,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomVerticalFlip,
)
from dlref.transforms.augment_warp import RandomAffine, RandomRotation
from dlref.transforms.color import (
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
)
from dlref.transforms.compose import Compose
from dlref.transforms.conversion import ToTensor, to_tensor
from dlref.transforms.geometry import center_crop, crop, hflip, vflip
from dlref.transforms.interpolation import InterpolationMode
from dlref.transforms.jitter import ColorJitter
from dlref.transforms.normalization import (
    Denormalize,
    Normalize,
    denormalize,
    normalize,
    to_normalized_tensor,
)
from dlref.transforms.padding import pad
from dlref.transforms.pil_image import ToPILImage, to_pil_image
from dlref.transforms.resample import resize
from dlref.transforms.warp import affine, rotate

__all__ = [
    "ColorJitter",
    "Compose",
    "Denormalize",
    "InterpolationMode",
    "Normalize",
    "RandomAffine",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomVerticalFlip",
    "ToPILImage",
    "ToTensor",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_hue",
    "adjust_saturation",
    "affine",
    "center_crop",
    "crop",
    "denormalize",
    "hflip",
    "normalize",
    "pad",
    "resize",
    "rotate",
    "to_normalized_tensor",
    "to_pil_image",
    "to_tensor",
    "vflip",
]
