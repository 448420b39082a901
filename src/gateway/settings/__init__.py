"""All settings: one frozen tree, read once, and refused at start with the option's name and what it should be."""

from gateway.settings.printing import as_toml
from gateway.settings.sources import Flags, Settings, SettingsError, load
from gateway.settings.tree import Access, Engine, Lab, Tree

__all__ = ["Access", "Engine", "Flags", "Lab", "Settings", "SettingsError", "Tree", "as_toml", "load"]
