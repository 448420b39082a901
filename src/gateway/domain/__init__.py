"""What lives in the gateway, and the rules it keeps. Knows nobody but the generated contract."""
