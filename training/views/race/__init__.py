"""`rawstep race`: update rules from one start on costs of two numbers, each at a learning rate tuned by one budget."""
