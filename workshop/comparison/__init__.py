"""Submissions of a class beside the solutions: who stands where, what fails, what does not fit.

Submissions are data (`reading`, `submissions`, `names`): nothing of theirs runs unless it is asked for, and then in a
sandbox (`execution`, `sandbox`, `inside`). `reference` is what they are compared with; `states`, `remarks`
and `changes` look at one notebook each, `survey` at all of them, `overview` at the class; `page` is the report.
"""
