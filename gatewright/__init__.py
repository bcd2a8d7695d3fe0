"""Gatewright decides whether a machine-learning model may be released, proves the decision, and can take it back.

The library is true without Prefect. Imports go one way:

    flows -> tasks -> gatewright.wiring -> gatewright.services -> gatewright.core

* ``core``      pure rules: what a policy says, what was measured, what follows from both.
* ``services``  the outside world behind small classes: object store, ledger, registry, expectations, targets.
* ``settings``  read once at the edge.
* ``wiring``    ``Settings -> Services``, the only place where things are put together.

The life of one release: a dataset is pinned by digest, a candidate is trained on it, the check stages
give *measurements*, the policy's rules turn each into a *check result*, ``decide`` turns the results into
``promote``, ``review`` or ``block``, people approve the digest of all evidence, and the channel moves to
the candidate only if every digest is still the same.
"""

__version__ = "0.1.0"
