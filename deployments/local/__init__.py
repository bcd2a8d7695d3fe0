"""Everything on one machine: object store, Prefect server, worker and scoring service on loopback."""
