"""The story of a release: which stage comes after which."""
