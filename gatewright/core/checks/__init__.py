"""Pure functions from data to measurements. Judging them against a policy is done elsewhere."""
