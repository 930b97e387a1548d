"""micro-XTREME: the experiment's data in miniature, generated offline from Unicode CLDR through Babel.

Every data set has a module of its name with `splits(settings)`, the languages of each split, and
`build(settings, split, language)`, the content of its files. It is written by xstilts.micro.generate.
"""
