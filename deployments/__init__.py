"""How Gatewright is run: deployments for Prefect, and everything on one machine for `make demo`."""
