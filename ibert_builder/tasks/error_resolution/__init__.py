"""Error resolution: code with a mistake, the error it raises or what was expected, and the fix.

Import `ErrorResolution` from `task`.
"""
