"""The folder of a life: its lock, its expression, its kept episodes."""
