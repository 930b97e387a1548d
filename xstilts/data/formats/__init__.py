"""One module per published format, found by the name that datasets.yaml gives.

Each has `parse(paths, *, dataset, split, language)`, which yields examples (only `text` has `lines`
instead). One whose files hold rows that are no examples also has `dropped(paths)`, their number.
A format imports no other format, so that a change to one concerns only its own data sets.
"""
