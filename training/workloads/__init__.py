"""Problems to train, by name. Each is one file and one line here; see `workload.Workload`."""

from collections.abc import Mapping

WORKLOADS: Mapping[str, str] = {
    "mlp": "training.workloads.mlp:MLP",
    "cnn": "training.workloads.cnn:CNN",
    "autoencoder": "training.workloads.autoencoder:Autoencoder",
    "transformer": "training.workloads.transformer:Transformer",
    "regression": "training.workloads.regression:Regression",
}
"""module:Class by name, imported when it is asked for."""
