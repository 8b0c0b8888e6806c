"""docutils' parser, for texts that were written for other tools too."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, Parser, directives
from docutils.parsers.rst.languages import en

_NAME = re.compile(r"\.\. (?:\|[^|\n]{1,80}\| )?([A-Za-z][\w:+.-]{0,60})::")


class LenientParser(Parser):  # type: ignore[misc]
    """Reads what directives that docutils does not know hold; writes no date of today."""

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Parse a text into ``document``."""
        for name in set(map(str.lower, _NAME.findall(inputstring))):
            if directives.directive(name, en, document)[0] is None:
                directives.register_directive(name, _Unknown)
        super().parse(inputstring, document)
        for definition in document.findall(nodes.substitution_definition):
            if re.search(r"\|\s+date::", definition.rawsource):
                definition.clear()


class _Unknown(Directive):  # type: ignore[misc]
    """A directive of another tool: its argument is a paragraph, its content goes on below it."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[dict[str, Any]] = defaultdict(
        lambda: directives.unchanged, {"class": directives.unchanged}
    )

    def run(self) -> list[nodes.Node]:
        """Return the directive's argument and content."""
        block = nodes.container()
        for argument in self.arguments:
            words, _ = self.state.inline_text(argument, self.lineno)
            block += nodes.paragraph("", "", *words)
        self.state.nested_parse(self.content, self.content_offset, block)
        return [block]
