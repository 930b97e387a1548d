"""Compare tasks by the meaning of their English examples: similarity.tsv."""
