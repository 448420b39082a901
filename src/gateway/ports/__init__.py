"""What the gateway needs from outside, as protocols. Adapters and providers meet them."""
