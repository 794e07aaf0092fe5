"""What XLA made of a training step, and what each rung from eager execution to one compiled loop gains and costs."""
