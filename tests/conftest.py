"""What holds for every test."""

from hypothesis import settings

settings.register_profile("posecascade", deadline=None)  # a busy machine is slow, and no fact of the domain
settings.load_profile("posecascade")
