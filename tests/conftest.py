"""No example of a property has a deadline: how long it takes is the machine's affair."""

from hypothesis import settings

settings.register_profile("xstilts", deadline=None)
settings.load_profile("xstilts")
