"""What lives wrote down, for other programs: files of tables, recordings to look at, and programs that keep track of runs.

Reads chronicles and kept episodes, and imports no algorithm.
"""
