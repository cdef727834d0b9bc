"""The SQL dialects. Each is one record in a file of its own: whatever is known of it is a value there.

To add a dialect, write its record and put it in `DIALECTS` in `registry`. No other code compares a dialect's name.
"""
