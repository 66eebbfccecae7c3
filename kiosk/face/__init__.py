"""Detection, landmarks, quality, liveness and embedding; all of it runs in the spawned worker process."""
