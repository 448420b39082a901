"""How WhatsApp is spoken. No provider knows another."""
