"""The simulator: a WhatsApp in memory, for tests of bots and of the gateway."""
