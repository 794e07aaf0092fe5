"""What core's verification needs of the world: real gradients, files of gradients, records, tables."""
