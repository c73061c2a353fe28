"""A page to watch lives: reads what they wrote down, never writes, imports no algorithm."""
