"""What a user can check: keypoint error, PCK, detection rate, scene drift."""
