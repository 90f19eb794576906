"""Logos: a prompt is read as a brief, a grammar makes a design of it, and the design is drawn as flat vector art."""
