"""The live page: pictures as they land, in plain HTML. Works without scripts for what has happened."""

from bmn.server.pages import (
    actions,
    brand,
    chosen,
    dev,
    gallery,
    kits,
    mails,
    orders,
    reference,
    shared,
    signin,
    statics,
)

_PAGES = (statics, signin, gallery, kits, chosen, brand, orders, actions, shared, mails, dev, reference)
ROUTERS = (signin.api, *(module.router for module in _PAGES))
