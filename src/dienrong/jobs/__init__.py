"""Long work in the background: progress, cancel, resume, and a reaper for dead workers."""
