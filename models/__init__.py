"""posecascade in process: `Cascade.load().predict(image_bgr)`."""

from models.cascade import Cascade
from models.options import Options, Quality
from models.records import Camera, Frame, Person, Pose

__all__ = ["Camera", "Cascade", "Frame", "Options", "Person", "Pose", "Quality"]
