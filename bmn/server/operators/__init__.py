"""The operators' pages below /admin: the API's own answers as HTML.

They call the API's handlers, so that nothing is asked in two ways, and viewers see here what they see there.
"""

from bmn.server.operators import book, desk, dlq, job, jobs, many, moves, users

ROUTERS = tuple(module.router for module in (desk, moves, jobs, job, dlq, many, users, book))
