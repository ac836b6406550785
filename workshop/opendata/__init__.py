"""The official files: `manifest` says what they are, `transfer` brings them, `integrity` judges them.

The course reads them from ``data/official`` as soon as a sample is complete there, and no notebook changes.
"""
