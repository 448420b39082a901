"""How the story fails."""


class StoryBroken(Exception):
    """A step of the story did not happen; the sentence says which."""
