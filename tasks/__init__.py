"""How Prefect runs a stage: load references, call the core, persist evidence. One file a stage."""
