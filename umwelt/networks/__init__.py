"""Bricks of neural networks: plain pytrees of arrays, and the pure functions that read them.

Every role may build on them, as on `core`. Rows come first: inputs are [N, features].
"""
