"""How ports are met."""
