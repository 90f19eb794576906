"""The API for programs: `from bmn.client import Client, follow`."""

from bmn.client.api import Client
from bmn.client.pages import pages
from bmn.client.watch import Event, follow

__all__ = ["Client", "Event", "follow", "pages"]
