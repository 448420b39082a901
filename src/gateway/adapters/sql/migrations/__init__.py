"""How the schema became what it is; written by hand, up and down."""
