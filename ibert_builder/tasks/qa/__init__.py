"""Q&A: a question as people ask it, and an answer that a maintainer of Ibis would sign.

Import `Qa` from `task`.
"""
