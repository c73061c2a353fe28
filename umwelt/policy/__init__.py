"""Policies: what a life learned, to be called by a control loop, exported into one file, or served over HTTP."""
