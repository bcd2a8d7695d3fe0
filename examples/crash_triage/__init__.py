"""Crash triage: will this occupant die? The main example."""
