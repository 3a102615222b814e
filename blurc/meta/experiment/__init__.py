"""What a run of meta-learning depends on.

experiment.py     the types
schema.py         the same as YAML, and its checks
yaml_shape.py yaml_read.py yaml_override.py  from YAML nodes to dataclasses
"""
