"""What is timed, against what. Ratios come from runs side by side on one machine; nothing here is a test."""
