"""The doctor: looks at all that a gateway stands on, and says what to do about what it finds."""
