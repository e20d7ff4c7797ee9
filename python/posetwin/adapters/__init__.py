"""Adapters that bring a pose into a frozen U-Net: the primary Φ1 and the secondary Φ2."""
