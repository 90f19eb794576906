"""The threads in which files from outside are read: two, since the largest picture takes half a gigabyte meanwhile."""

from concurrent.futures import ThreadPoolExecutor

DECODERS = ThreadPoolExecutor(2, "decode")
