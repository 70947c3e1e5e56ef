"""What a build costs, next to what other ways to make the same file cost: ``python -m benchmarks``, which makes its own material.

No part of the toolchain: nothing imports it, and it may start programs by itself.
"""
