"""Study S2: linguistic similarity to English, and the size of the model."""
