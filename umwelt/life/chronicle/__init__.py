"""The chronicle: what a life wrote down, and the only SQL of the package."""
