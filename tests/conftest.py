"""What holds for every test."""

from hypothesis import settings

# No deadline: a busy machine is slow, and that is no fact of the domain. Derandomised: a build fails for what changed.
settings.register_profile("posecascade", deadline=None, derandomize=True)
settings.load_profile("posecascade")
