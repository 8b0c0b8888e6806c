from __future__ import annotations

import re

import pytest
from reading_helpers import parts

from article_qa.config import Settings
from article_qa.errors import ArticleError
from article_qa.reading.files import read_article
from article_qa.reading.rst import is_rst
from article_qa.types import Article

README = """\
.. |ci| image:: https://e.org/badge.svg
   :target: https://e.org

wells
=====
|ci| |ci|

**wells** digs *wells*, see `the manual <https://e.org/manual>`_
and `Lee (1998)`_ [1]_. Run ``dig --deep``.

Supported soils
---------------

All soils have a `depth <https://e.org/depth>`_:

- clay
- sand

  - wet sand

.. note:: Wear boots.

.. code-block:: python

   import wells
       # deep

Output::

   31 m

===== ======
Year  Depth
===== ======
1820  31 m
===== ======

:Author: Jane Roe

.. [1] And a cook.
.. _Lee (1998): https://e.org/lee
"""


def rst(text: str, name: str = "a.rst") -> Article:
    return read_article((name, text.encode()))


def test_each_block_has_its_kind_and_level() -> None:
    article = rst(README)
    shown = [(b.kind, b.level, article.text[b.span.start : b.span.end]) for b in article.blocks]
    assert shown == [
        ("headline", 1, "wells"),
        ("paragraph", 0, "wells digs wells, see the manual and Lee (1998) . Run dig --deep."),
        ("heading", 2, "Supported soils"),
        ("paragraph", 0, "All soils have a depth:"),
        ("list", 1, "clay"),
        ("list", 1, "sand"),
        ("list", 2, "wet sand"),
        ("paragraph", 0, "Wear boots."),
        ("code", 0, "import wells\n    # deep"),
        ("paragraph", 0, "Output:"),
        ("code", 0, "31 m"),
        ("table", 0, "Year\tDepth"),
        ("table", 0, "1820\t31 m"),
        ("byline", 0, "Author: Jane Roe"),
        ("footnote", 0, "And a cook."),
    ]


@pytest.mark.parametrize("name", ["README.txt", "README.md", "README.rst"])
def test_it_is_read_by_what_it_is(name: str) -> None:
    assert rst(README, name).blocks == rst(README).blocks


@pytest.mark.parametrize(
    "text",
    [
        "The Well\n========\n\nIt was dug in `1820`. See [the manual](https://e.org).\n",
        "# Notes\n\nIn reST one writes::\n\n.. note:: so\n.. note:: and so\n",
        "The Well\n--------\n\nIt was dug. Then ... :: nothing.\n",
        "```\n.. image:: a.png\n.. image:: b.png\n```\n",
    ],
)
def test_other_texts_are_not(text: str) -> None:
    assert not is_rst(text)


def test_what_another_tool_adds_is_read_for_its_words() -> None:
    article = rst(
        "Wells\n=====\n\n:class:`~wells.Well` and :ref:`the pump <pump>`, |version|.\n\n"
        ".. versionadded:: 2.0\n   Deep wells. Run :func:`dig`.\n\n"
        ".. tabs::\n   :class: wide\n\n   - clay\n\n.. contents::\n\nEnd\n---\n\nDone.\n"
    )
    assert parts(article, "paragraph") == [
        "wells.Well and the pump, version.",
        "2.0 Deep wells. Run dig.",
        "Done.",
    ]
    assert parts(article, "list") == ["clay"]
    assert [b.kind for b in article.blocks].count("heading") == 1


def test_no_other_file_and_no_date_of_today_gets_in() -> None:
    article = rst(
        "Wells\n=====\n\nOn |today| it rained.\n\n.. |today| date:: %Y\n\n"
        ".. include:: /etc/passwd\n\n.. raw:: html\n   :file: /etc/passwd\n\n"
        ".. csv-table::\n   :file: /etc/passwd\n"
    )
    assert article.text == "Wells\n\nOn it rained."
    assert not re.search(r"\d{4}|root", article.text)


def test_a_table_too_large_is_refused() -> None:
    table = "== ==\n1  2\n== ==\n" + "3  4\n" * 10 + "== ==\n"
    with pytest.raises(ArticleError, match=r"22 table cells.*max_table_cells"):
        read_article(("a.rst", table.encode()), settings=Settings(max_table_cells=20))


def test_lists_too_deep_are_refused() -> None:
    deep = "\n\n".join("  " * depth + "- a" for depth in range(400))
    with pytest.raises(ArticleError, match="too deep"):
        rst(deep)
