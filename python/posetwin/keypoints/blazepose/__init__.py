"""BlazePose (MediaPipe, Apache-2.0) in torch: a person detector and a landmark network, differentiable in the image."""

from posetwin.keypoints.blazepose.detector import BlazePoseDetector, Variant
from posetwin.keypoints.blazepose.people import Person
from posetwin.keypoints.blazepose.regions import Regions

__all__ = ["BlazePoseDetector", "Person", "Regions", "Variant"]
