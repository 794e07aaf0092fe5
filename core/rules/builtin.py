"""The rules that come with rawstep, a line each. All else is found through `core.rules.RULES`."""

from .adadelta import Adadelta
from .adagrad import Adagrad
from .adam import Adam
from .adamax import Adamax
from .adamw import AdamW
from .amsgrad import AMSGrad
from .ftrl import Ftrl
from .lion import Lion
from .momentum import Momentum
from .nadam import Nadam
from .nesterov import Nesterov
from .radam import RAdam
from .rmsprop import RMSprop
from .rprop import Rprop
from .sgd import SGD
