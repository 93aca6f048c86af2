"""A registry for a room full of learners, on the instructor's machine."""
