"""What candidate and champion said is brought to one form before anything is measured of it."""

from types import SimpleNamespace

import numpy as np

from tasks.material import _on_one_set_of_classes

KNOWN = {"candidate": ("flat", "villa"), "champion": ("flat", "house")}


def test_models_that_know_other_classes_are_measured_on_all_of_them():
    """A class that a model lacks has probability 0; one that came true is there even if no model knows it."""
    services = SimpleNamespace(scores=SimpleNamespace(classes_of=lambda model, dataset: KNOWN[model]))
    answers = [np.array([[0.25, 0.75]]), np.array([[0.5, 0.5]])]
    classes, found = _on_one_set_of_classes(services, list(KNOWN), None, np.array(["barn"]), answers)
    assert classes == ("barn", "flat", "house", "villa")
    assert found[0].tolist() == [[0, 0.25, 0, 0.75]]
    assert found[1].tolist() == [[0, 0.5, 0.5, 0]]
