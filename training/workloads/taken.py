"""Names that a workload's fields cannot have: an option of that name never comes to the workload."""

_WORDS = """
    accumulate batch_size beside best checkpoint clip_global_norm clip_norm clip_value cluster_timeout compilations
    compute cost csv decay_only device dialect dtype ema engines epochs every execution figures follow group help hlo
    html jobs json junit keep_best l2 ladder landscape layers learning_rate map microbatches nesterov no_cost
    no_keep_best no_ladder noise on_nonfinite out parameters patience plot rates raw reference replicas resume returns
    round rounds rule rule_options rules save_every save_streams schedule seed setting slots stablehlo starts step
    steps strategy streams strict studies tensorboard tune values version weight_decay workload workload_options
    xla_options
"""
TAKEN = frozenset(_WORDS.split())
"""The options of all commands that take those of a workload, the benchmarks' too, and all settings of a run."""
