"""What users own: brands, their pictures and films, and the products these are put on."""
