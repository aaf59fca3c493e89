"""A new dialect to begin with: a distribution that installs and passes the suite, written from `template/`.

The files of the template are those of the distribution, with `.txt` behind their names. In a path `NAME` stands for the
dialect's name and `DOT` for a dot, in a text `$name` and the like for what `distribution.py` lists.
"""
