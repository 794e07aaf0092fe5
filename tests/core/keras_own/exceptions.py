"""Which of Keras's tests are run, and which of those must fail with our rules in them, or cannot run here.

A test has the name that pytest reports, from site-packages on.
"""

from collections.abc import Mapping

OPTIMIZERS, CALLBACKS, TENSORFLOW = "keras/src/optimizers", "keras/src/callbacks", "keras/src/backend/tensorflow"
TRAINER = "keras/src/trainers/trainer_test.py"

FILES = (
    f"{OPTIMIZERS}/adadelta_test.py",
    f"{OPTIMIZERS}/adagrad_test.py",
    f"{OPTIMIZERS}/adam_test.py",
    f"{OPTIMIZERS}/loss_scale_optimizer_test.py",
    f"{OPTIMIZERS}/multi_optimizer_test.py",
    f"{OPTIMIZERS}/optimizer_sparse_test.py",
    f"{OPTIMIZERS}/optimizer_test.py",
    f"{OPTIMIZERS}/schedules/learning_rate_schedule_test.py::TestFitLRSchedulesFlow",
    f"{OPTIMIZERS}/sgd_test.py",
    f"{CALLBACKS}/backup_and_restore_test.py",
    f"{CALLBACKS}/callback_test.py",
    f"{CALLBACKS}/csv_logger_test.py",
    f"{CALLBACKS}/early_stopping_test.py",
    f"{CALLBACKS}/lambda_callback_test.py",
    f"{CALLBACKS}/learning_rate_scheduler_test.py",
    f"{CALLBACKS}/model_checkpoint_test.py",
    f"{CALLBACKS}/monitor_callback_test.py",
    f"{CALLBACKS}/reduce_lr_on_plateau_test.py",
    f"{CALLBACKS}/swap_ema_weights_test.py",
    f"{CALLBACKS}/tensorboard_test.py",
    f"{CALLBACKS}/terminate_on_nan_test.py",
    "keras/src/legacy/saving/legacy_h5_format_test.py",
    "keras/src/models/cloning_test.py",
    "keras/src/models/model_test.py",
    "keras/src/models/variable_mapping_test.py",
    "keras/src/saving/file_editor_test.py",
    "keras/src/saving/saving_lib_test.py",
    "keras/src/trainers/data_adapters/tf_dataset_adapter_test.py",
    TRAINER,
    f"{TENSORFLOW}/saved_model_test.py",
    f"{TENSORFLOW}/distribute_test.py",
    f"{TENSORFLOW}/optimizer_distribute_test.py",
)
"""The files, or classes of one, that make one of the four optimizers. The last two set the devices up anew."""
