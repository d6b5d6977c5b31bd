"""What the data sets raise on purpose; every message is one line that says what was wanted and what to do.

DatasetError
├── MissingData      a folder, a file or a picture is not where it was said to be
├── BrokenData       a file is there and cannot be read as what it should be
├── LabelsError      a labelled folder cannot be read: not there, no or broken labels.json, a picture missing or damaged
└── NotForTraining   the licence of the data allows evaluation only
"""

from posecascade.models.errors import ModelError


class DatasetError(ModelError):
    """Base of everything below."""


class MissingData(DatasetError):
    """Something that should be on disk is not."""


class BrokenData(DatasetError):
    """A file does not hold what its format promises."""


class LabelsError(DatasetError):
    """A labelled folder cannot be read; the message names the file and the reason."""


class NotForTraining(DatasetError):
    """The data may be measured on, not learned from."""
