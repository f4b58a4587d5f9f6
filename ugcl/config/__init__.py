"""Parameters: one tree, read from params.yaml and params/*.yaml."""

from ugcl.config.load import load, parse, read
from ugcl.config.root import Benchmark, Config, Run

__all__ = ["Benchmark", "Config", "Run", "load", "parse", "read"]
