"""What a user can check: keypoint error, PCK, detection rate, scene drift, attributes, and how sure a comparison is."""
