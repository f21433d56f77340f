"""This module's version, as it is told to others."""

VERSION = "0.2.0"
