"""The extension objects of the web application; the database's is in :mod:`jobauto.extensions`."""

from flask_bootstrap import Bootstrap5
from flask_login import LoginManager
from flask_wtf import CSRFProtect

csrf = CSRFProtect()
login_manager = LoginManager()
bootstrap = Bootstrap5()
