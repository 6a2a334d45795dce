"""Optimizers: each is one short rule in the paper's letters, run by torch's machinery.

The rules (`sgd_`, `adagrad_`, …) are functions of parameters, gradient and state; the
classes have `torch.optim`'s names, options, states and bits.
"""

from dlref.optim.adadelta import Adadelta, adadelta_
from dlref.optim.adagrad import Adagrad, adagrad_
from dlref.optim.adam import Adam, AdamW, adam_
from dlref.optim.adamax import Adamax, adamax_
from dlref.optim.descent import GradientDescent, backtrack
from dlref.optim.flat import flatten_parameters
from dlref.optim.lbfgs import LBFGS, two_loop_direction
from dlref.optim.nadam import NAdam, nadam_
from dlref.optim.newton import Newton, newton_direction
from dlref.optim.rmsprop import RMSprop, rmsprop_
from dlref.optim.sgd import SGD, sgd_

__all__ = [
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "GradientDescent",
    "NAdam",
    "Newton",
    "RMSprop",
    "adadelta_",
    "adagrad_",
    "adam_",
    "adamax_",
    "backtrack",
    "flatten_parameters",
    "nadam_",
    "newton_direction",
    "rmsprop_",
    "sgd_",
    "two_loop_direction",
]
