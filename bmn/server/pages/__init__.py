"""The live page: pictures as they land, in plain HTML. Works without scripts for what has happened."""

from bmn.server.pages import actions, dev, gallery, reference, shared, signin, statics

ROUTERS = (signin.api, *(module.router for module in (statics, signin, gallery, actions, shared, dev, reference)))
