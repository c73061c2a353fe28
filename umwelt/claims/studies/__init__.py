"""What several claims share: agents of their lives, and functions that are computed beside lives."""
