"""At which step of which moment a test kills a run: training/test_faults.py and data/test_assemble_faults.py."""

from __future__ import annotations

# moment -> the step at which it kills a run that has a checkpoint of step 2 and was killed in step 3.
# Boundary, validation and pictures at step 3, checkpoints at 2, 4 and 5, where it ends; one checkpoint is kept.
IN_TRAINING = {
    "models_loaded": 0,
    "checkpoint_found": 2,
    "weights_loaded": 2,
    "checkpoint_loaded": 2,
    "training_ready": 2,
    "before_forward": 3,
    "after_forward": 3,
    "after_backward": 3,
    "gradients_clipped": 3,
    "optimizer_stepped": 3,
    "after_step": 3,
    "boundary_measured": 3,
    "boundary_asked": 3,
    "boundary_answered": 3,
    "validation_started": 3,
    "validation_batch": 3,
    "validated": 3,
    "best_written": 0,
    "best_saved": 0,
    "sample_painted": 3,
    "checkpoint_started": 4,
    "checkpoint_weights": 4,
    "checkpoint_optimizer": 4,
    "checkpoint_state": 4,
    "checkpoint_synced": 4,
    "checkpoint_manifest": 4,
    "checkpoint_sealed": 4,
    "checkpoint_renamed": 4,
    "checkpoint_deleting": 4,
    "checkpoint_deleted": 4,
    "training_done": 5,
    "adapter_written": 5,
    "adapter_saved": 5,
    "result_written": 5,
}

# moment -> the step at which it kills a run of 32 items in chunks of 4: 16 drawn ones, then 16 that are read.
IN_ASSEMBLING = {
    "index_listed": 0,
    "index_written": 0,
    "chunk_started": 2,
    "picture_stored": 9,
    "shard_written": 2,
    "shard_named": 5,
    "chunk_table": 5,
    "chunk_rejected": 6,
    "chunk_recorded": 7,
    "progress": 32,
    "chunks_done": 8,
    "sources_verified": 8,
    "duplicates_found": 8,
    "samples_written": 8,
    "rejected_written": 8,
    "assembled": 8,
    "chunks_removed": 8,
}
