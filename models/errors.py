"""What the models raise on purpose.

ModelError
├── ManifestError    weights, manifest or calibration do not fit together; names the file and the reason
├── RunnerError      a runtime cannot do what was requested (no GPU, no package, wrong shapes)
├── StageDown        a runner raised while it ran, see __cause__
└── DeepStagesSkipped  a driver has no time for more
"""

from posecascade.models.records import Stop


class ModelError(Exception):
    """Base of everything below."""


class ManifestError(ModelError):
    """A file under `models/weights` is missing, damaged or of another contract."""


class RunnerError(ModelError):
    """The runtime cannot run the stage as requested."""


class StageDown(ModelError):
    """A stage failed on a batch that was well formed."""


class DeepStagesSkipped(ModelError):
    """Thrown into `Cascade.steps` by a driver that has no time left: whoever waits keeps the answer they have."""

    def __init__(self, reason: Stop):
        super().__init__(f"deep stages skipped: {reason}")
        self.reason = reason
