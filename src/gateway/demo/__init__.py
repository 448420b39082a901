"""The story that `wagate demo` plays: a lab and a gateway as children, and everything through the public contract."""
