"""The craft of RSS: channels and items in, feeds out, checked and published. Knows nothing of audio or of the show's files."""
