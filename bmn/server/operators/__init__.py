"""The operators' pages below /admin: the API's own answers as HTML.

They call the API's handlers, so that nothing is asked in two ways, and viewers see here what they see there.
"""

from bmn.server.operators import admin_desk, admin_dlq, admin_job, admin_jobs, admin_users, book, many, moves

ROUTERS = tuple(
    module.router for module in (admin_desk, moves, admin_jobs, admin_job, admin_dlq, many, admin_users, book)
)
