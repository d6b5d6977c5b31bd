"""The async scheduler: queues, batches, deadlines, load."""
