"""The application as `make serve` has granian run it."""

from .controllers.front import Front
from .wsgi import application as py4web

application = Front(py4web.wsgi)
