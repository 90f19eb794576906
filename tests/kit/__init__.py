"""What tests of several rooms share. A test imports from here, never from another test or a conftest."""
