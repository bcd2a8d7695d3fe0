"""What people read of a release, made from a ``ReleaseView`` and nothing else; and of a checked file.

* ``evidence_page``  the evidence, the approval form's text, one page a stage, one a monitoring decision.
* ``cards``          model card and data card.
* ``check_report``   one HTML page about a checked file, made from a ``FileVerdict``.
* ``charts``         small SVG drawings of a release; ``curve_charts`` and ``whiskers`` of any measurements.
* ``escape``         the only way by which text from data or people enters a page.
"""
