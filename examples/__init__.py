"""Models to release, each with its data, its spec and its training code."""
