"""Scripts for whoever works on the project; nothing at run time needs them."""
