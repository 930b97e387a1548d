"""Study S4: the order of the intermediate tasks."""
