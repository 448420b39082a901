"""The gateway: keeps every promise of the wagate.v1 contract over gRPC."""
