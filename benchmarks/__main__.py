from .console import rawstep_bench

if __name__ == "__main__":
    rawstep_bench()
