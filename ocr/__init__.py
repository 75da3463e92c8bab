"""Receipt text detection whose training runs end with a measured performance baseline."""

__version__ = "0.1.0"
