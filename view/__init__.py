"""What the pages draw with: the menu and the shared parts of pages, results, and charts."""
