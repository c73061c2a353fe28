"""What a life wrote down, for other programs: files of tables, recordings for a viewer, and logs for run trackers.

It reads chronicles and kept episodes, and imports no algorithm.
"""
