"""Parameters: one tree, read from params.yaml."""

from ugcl.config.load import load, parse
from ugcl.config.root import Benchmark, Config, Run

__all__ = ["Benchmark", "Config", "Run", "load", "parse"]
