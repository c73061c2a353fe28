"""Saves: checkpoints, digests, and what a memory keeps on disk."""
