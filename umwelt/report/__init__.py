"""Pages and pictures of lives: reads what lives wrote down, imports no algorithm."""
