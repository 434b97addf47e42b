"""The harness of `make bench`; Benchmarks/README.md says how it works."""
