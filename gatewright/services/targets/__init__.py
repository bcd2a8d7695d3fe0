"""Deploy targets: what serves a model, behind one small port."""
