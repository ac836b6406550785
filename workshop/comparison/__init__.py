"""Submissions of a class beside the solutions: who stands where, what fails, what does not fit.

Submissions are data (`reading`, `submissions`): nothing of theirs runs unless it is asked for, and then in a sandbox
(`sandbox`, `inside`). `reference` is what they are compared with; `states` and `remarks` look at one notebook,
`survey` at all of a class; `report` is what is written.
"""
