"""The parts of an installation, each looked at on its own, so that a broken one does not hide the others.

A check is a function that yields findings; whatever it raises is a finding too. Nothing secret is in a finding.
"""

from gatewright.services.checkup.finding import Check, Finding, Status, look

__all__ = ["Check", "Finding", "Status", "look"]
