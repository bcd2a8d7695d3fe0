"""Great Expectations in one pass over Parquet."""
