"""Statistics over languages and runs: tables in, small results out, an error where there is no answer.

Two facts about the data shape every test. A checkpoint scores all languages, so a run's luck is shared by
them, and the training run is the replicate of every contrast between recipes. Languages of a family
resemble each other, so inference over languages counts families. pingouin, scipy and statsmodels do the
work; what they lack is here, checked against simulation (`simulation`) and independent implementations.
"""
