"""How much memory a training will need, found by running its real steps on tensors that have shapes and no content."""
