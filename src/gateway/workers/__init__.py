"""What runs when nobody calls."""
