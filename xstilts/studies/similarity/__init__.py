"""Study S5: semantic similarity of intermediate and target tasks, and gains in low-resource languages."""
