"""The page Audience: a blind test for a room, on the stage and on phones."""
