"""Pure rules: no Prefect, no object store, no Great Expectations, no clock, no environment, no network."""
