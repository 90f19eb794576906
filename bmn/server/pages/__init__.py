"""The live page: pictures as they land, in plain HTML. Works without scripts for what has happened."""

from bmn.server.pages import (
    brand_page,
    chosen,
    dev,
    gallery_pages,
    kit_page,
    mails,
    page_actions,
    page_orders,
    reference,
    share_page,
    signin_pages,
    statics,
)

_PAGES = (
    statics,
    signin_pages,
    gallery_pages,
    kit_page,
    chosen,
    brand_page,
    page_orders,
    page_actions,
    share_page,
    mails,
    dev,
    reference,
)
ROUTERS = (signin_pages.api, *(module.router for module in _PAGES))
