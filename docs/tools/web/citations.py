"""Works by author and year, as readers cite them."""

from html import escape

from docs.tools.data import Source

AND = {"zh": " 与 ", "en": " and "}


def label(work: Source, code: str) -> str:
    """Return author and year, such as `Cover and Thomas 2006`.

    Examples:
        >>> who = ("Ann B. Lee", "Bo Li")
        >>> work = Source("lee2001", "book", who, "Title", "Publisher", True, 2001)
        >>> label(work, "en"), label(work, "zh")
        ('Lee and Li 2001', 'Lee 与 Li 2001')
    """
    if work.type == "documentation":
        return work.authors[0].rpartition(" ")[0]
    families = [name.split()[-1] for name in work.authors]
    several = len(families) > 2
    who = f"{families[0]} et al." if several else AND[code].join(families)
    letter = work.key[-1] if work.key[-1].isalpha() else ""  # lecun1998b
    return f"{who} {work.year}{letter}"


def outward(work: Source, code: str) -> str:
    """Return author and year, linked to the work itself where it has an address."""
    text = escape(label(work, code), quote=False)
    return f'<a href="{escape(work.link)}">{text}</a>' if work.link else text
