"""What needs no other program: the queue of one process, and the folder that one process owns."""
