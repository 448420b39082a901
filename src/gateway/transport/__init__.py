"""gRPC: how callers are let in, understood and answered."""
