"""Figures that are added up once and read from sums: how jobs ended, what calls cost."""
