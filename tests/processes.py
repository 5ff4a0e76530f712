"""Processes that die, and whether they are at work."""

from __future__ import annotations

import os
from pathlib import Path


def alive(pid: int) -> bool:
    try:
        with Path(f"/proc/{pid}/stat").open() as status:
            return status.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path("/proc/self").is_dir()


DEADLY = """
import ctypes
from PIL import WebPImagePlugin

def deadly(load):
    def call(self, *args):
        if self.size == (66, 66):
            ctypes.string_at(0)  # a segmentation fault
        return load(self, *args)
    return call

WebPImagePlugin.WebPImageFile.load = deadly(WebPImagePlugin.WebPImageFile.load)
"""
"""``sitecustomize.py`` of a process in which decoding a WebP of 66×66 pixels is a segmentation fault."""
