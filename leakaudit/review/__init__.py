"""A person goes through the pairs of a report: *leak*, *fine* or *unsure*; the marks become files that act.

`pairs` lists what there is to look at, `journal` keeps every mark on disk as it is made, `page` and `server` show the
pairs on this machine alone, `result` turns the marks into accepted findings and a list of samples to remove.
"""
