"""WhatsApp Web, spoken by the engine: a process of its own that this provider starts, watches and replaces."""
