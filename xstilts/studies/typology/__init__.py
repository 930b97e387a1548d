"""Study S1: typological distance and degradation in sentence retrieval."""
