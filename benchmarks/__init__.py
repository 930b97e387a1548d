"""Speed, memory and outcome beside other libraries': `make benchmarks` writes docs/benchmarks.md."""
