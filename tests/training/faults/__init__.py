"""Every fault, really caused. `make faults` runs all, `make faults PART=workers` one file, `make test` a few of each.

interrupted  SIGKILL, most of it amid a checkpoint, SIGTERM, SIGINT, SIGHUP; runs of every workload, feed, strategy
ctrl_c       Ctrl-C at any moment of a command's life
workers      workers killed, stopped and cut off
full_disk    each command on a disk that fills up
damage       shards and checkpoints
folders      two runs in one; copied, with a wrong clock; removed while it trains
"""
