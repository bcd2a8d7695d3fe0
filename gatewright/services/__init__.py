"""The outside world behind small classes: the object store, and what is kept in it, shown from it and served."""
