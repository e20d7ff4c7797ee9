"""One common sampler for text only, primary and secondary, and the pictures made with it."""
