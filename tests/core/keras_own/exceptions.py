"""Which of Keras's test files are run, and which of their tests cannot pass with our rules in them.

A file is named from `keras/src` on; a test as pytest names it, from there too.
"""

from collections.abc import Mapping

EVERY_TIME: Mapping[str, str] = {
    "backend/tensorflow/optimizer_distribute_test.py": "weight_decay or golden or ema or accumulation",
    "optimizers/adadelta_test.py": "",
    "optimizers/adagrad_test.py": "",
    "optimizers/adam_test.py": "",
    "optimizers/adamw_test.py": "",
    "optimizers/rmsprop_test.py": "",
    "optimizers/loss_scale_optimizer_test.py": "",
    "optimizers/multi_optimizer_test.py": "",
    "optimizers/optimizer_sparse_test.py": "adadelta or adagrad or sgd or adam and not adamw and not adamax",
    "optimizers/optimizer_test.py": "",
    "optimizers/schedules/learning_rate_schedule_test.py": "fit_lr",
    "optimizers/sgd_test.py": "",
    "callbacks/learning_rate_scheduler_test.py": "updates",
    "layers/core/dense_test.py": "argument_float8",
    "layers/core/embedding_test.py": "test_sparse",
    "layers/normalization/spectral_normalization_test.py": "basic",
    "legacy/saving/legacy_h5_format_test.py": "include_optimizer or axis_arg",
    "models/cloning_test.py": "compiled",
    "models/variable_mapping_test.py": "",
    "saving/saving_lib_test.py": "save_load_weights_only or save_weights_subclassed or endpoint",
    "trainers/trainer_test.py": "fit_flow_graph or fit_flow_jit or fit_sparse_tf or custom_train or loss_scaling",
    "utils/summary_utils_test.py": "summary0",
}
"""The files of which some tests are run every time, and which: what pytest's -k takes, all where nothing is said.

The first sets up TensorFlow's devices anew for each of its tests, which takes the longer the more has run before.
"""

WHOLE: Mapping[str, str] = {
    "backend/tensorflow/distribute_test.py": "",
    "backend/tensorflow/optimizer_distribute_test.py": "",
    "backend/tensorflow/saved_model_test.py": "",
    "callbacks/backup_and_restore_test.py": "",
    "callbacks/callback_test.py": "",
    "callbacks/csv_logger_test.py": "",
    "callbacks/early_stopping_test.py": "",
    "callbacks/lambda_callback_test.py": "",
    "callbacks/learning_rate_scheduler_test.py": "",
    "callbacks/model_checkpoint_test.py": "",
    "callbacks/monitor_callback_test.py": "",
    "callbacks/reduce_lr_on_plateau_test.py": "",
    "callbacks/swap_ema_weights_test.py": "",
    "callbacks/tensorboard_test.py": "",
    "callbacks/terminate_on_nan_test.py": "",
    "distillation/distillation_loss_test.py": "",
    "distillation/distiller_test.py": "",
    "layers/core/dense_test.py": "basics or sparse or float8 or lora",
    "layers/core/einsum_dense_test.py": "basics or float8 or lora",
    "layers/core/embedding_test.py": "basics or sparse or ragged or lora",
    "models/functional_test.py": "none_raises_in_fit or list_model",
    "models/model_test.py": "functional",
    "saving/file_editor_test.py": "scalar_weight",
    "saving/saving_lib_test.py": "",
    "trainers/data_adapters/tf_dataset_adapter_test.py": "",
    "trainers/trainer_test.py": "",
}
"""What is run instead, or as well, where the whole is asked for."""

NOT_RUN: Mapping[str, str] = {
    "saving/saving_lib_test.py::SavingBattleTest::test_legacy_load_skips_missing_nested_containers": (
        "needs a file that Keras's wheel lacks"
    ),
    "saving/saving_lib_test.py::SavingTest::test_weights_sharding_efficientnet": "takes 20 s and trains nothing",
    "trainers/trainer_test.py::TestTrainer::test_fit_with_data_adapter_grain": "needs the package grain",
}
"""What fails with Keras's own optimizers too, or would be a waste; all tests whose names begin so."""

_ROWS = "expects the optimizer to assign the rows of a sparse gradient; ours assigns the whole variable, as correctly"
_CLASS = "expects the class to be called Adam; ours is KerasOptimizer"
_SPARSE = "optimizers/optimizer_sparse_test.py::OptimizerSparseTest::test_sparse_gradients"

FAILING: Mapping[str, str] = {
    f"{_SPARSE}_adadelta": _ROWS,
    f"{_SPARSE}_adagrad": _ROWS,
    f"{_SPARSE}_loss_scale_optimizer_sgd": _ROWS,
    f"{_SPARSE}_sgd": _ROWS,
    "optimizers/multi_optimizer_test.py::MultiOptimizerTest::test_serialization": _CLASS,
    "optimizers/adamw_test.py::AdamWTest::test_weight_decay": "excludes variables from a decay; ours refuses",
    "optimizers/adamw_test.py::AdamWTest::test_weight_decay_is_none": "expects Keras's words for a decay of None",
    "optimizers/sgd_test.py::SGDTest::test_invalid_momentum": "expects Keras's words for a momentum below 0",
    **{
        f"trainers/trainer_test.py::TestTrainer::test_fit_sparse_{of}_{mode}": _ROWS
        for of in ("tf", "jax", "scipy")
        for mode in ("eager", "graph")
    },
}
"""What fails with ours alone, and why that is right."""
