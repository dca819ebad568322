"""What all pages draw with."""
