"""Models and texts that visitors upload: how they are checked, what is kept, when it expires."""
