"""What people read of a release. All pages are made from a ``ReleaseView`` and nothing else.

* ``evidence_page``  the evidence, the approval form's text, one page a stage, one a monitoring decision.
* ``cards``          model card and data card.
* ``charts``         small SVG drawings.
* ``escape``         the only way by which text from data or people enters a page.
"""
