"""Training of the secondary adapter (Eq. 40), its checkpoints and its gradient self-test."""
