"""Estimates with intervals. Sums are kept per block of rows, so that parts of a dataset can be merged by addition."""
