"""The rules that come with rawstep, a line each. All else is found through `core.rules.RULES`."""

from .adadelta import Adadelta
from .adagrad import Adagrad
from .adam import Adam
from .sgd import SGD
