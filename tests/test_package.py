"""Rules of the house that no single module can keep."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import article_qa

PACKAGE = Path(article_qa.__file__).parent
HEAVY = {
    "torch",
    "transformers",
    "sentence_transformers",
    "gradio",
    "onnxruntime",
    "faiss",
    "spacy",
}
SLOW = {
    "torch",
    "transformers",
    "sentence_transformers",
    "spacy",
    "onnxruntime",
    "scipy",
    "sklearn",
}
TOP = {"__init__", "types", "errors", "config", "bot", "cli", "terminal"}
ROOMS = {"reading", "retrieval", "language", "answering", "conversation", "chat", "evaluation",
         "training", "web"}  # fmt: skip
PLACES = [
    ({"faiss"}, {"retrieval"}),
    ({"gradio"}, {"web"}),
    ({"fastapi", "starlette", "uvicorn"}, {"web", "cli.py"}),
    ({"spacy", "thinc"}, {"language"}),
    ({"langchain", "langchain_core"}, {"retrieval", "chat", "bot.py", "systems.py"}),
    ({"langchain_text_splitters"}, {"systems.py"}),  # the yardstick is a chain of tutorials
    ({"torch", "transformers", "sentence_transformers"}, {"embeddings.py", "reader.py"}),
    ({"onnxruntime"}, {"encoder.py"}),
]
"""Which rooms or files alone may import a library; ``training`` stands outside."""


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = f"import sys, article_qa; print({HEAVY!r} & set(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "set()"


def test_all_is_what_is_public() -> None:
    ours = {
        name
        for name, value in vars(article_qa).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("article_qa.")
    }
    errors = {name for name, value in vars(article_qa.errors).items() if isinstance(value, type)}
    assert article_qa.__all__ == sorted(ours | errors | {"ArticleQA"})
    for name in article_qa.__all__:
        assert getattr(article_qa, name) is not None
    with pytest.raises(AttributeError):
        article_qa.nothing  # noqa: B018


def imports(path: Path, *, inside_functions: bool = True) -> set[str]:
    """Return the packages that a file imports, those for type checking alone left out."""
    found = set()
    nodes: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            nodes += node.orelse
        elif inside_functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            nodes += ast.iter_child_nodes(node)
    return found


def modules(*, but: tuple[str, ...] = ()) -> list[tuple[Path, str]]:
    """Return each module with its room, but those of some rooms; the top level's is ``""``."""
    paths = [path.relative_to(PACKAGE) for path in sorted(PACKAGE.rglob("*.py"))]
    rooms = [(PACKAGE / path, path.parts[0] if len(path.parts) > 1 else "") for path in paths]
    return [(path, room) for path, room in rooms if room not in but]


def test_the_rooms_are_those_of_the_design() -> None:
    assert {path.stem for path, room in modules() if not room} == TOP
    assert {room for _, room in modules() if room} == ROOMS


def test_values_errors_and_settings_need_only_the_standard_library() -> None:
    for name in ("types", "errors", "config"):
        found = imports(PACKAGE / f"{name}.py")
        assert found <= set(sys.stdlib_module_names) | {"article_qa"}, name


@pytest.mark.parametrize(("libraries", "rooms"), PLACES)
def test_each_library_has_its_room(libraries: set[str], rooms: set[str]) -> None:
    for path, room in modules(but=("training",)):
        used = imports(path) & libraries
        assert not used or room in rooms or path.name in rooms, f"{path} imports {used}"


def test_what_takes_seconds_to_import_is_imported_where_it_is_used() -> None:
    for path, _ in modules(but=("training",)):
        assert not imports(path, inside_functions=False) & SLOW, path


def test_nothing_unpickles() -> None:
    for path, _ in modules():
        assert not imports(path) & {"pickle", "dill", "joblib", "shelve", "marshal"}, path


def test_the_lock_has_every_dependency_in_its_range() -> None:
    root = PACKAGE.parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["test"], *extras["eval"], *extras["openai"],
              *extras["mcp"], *extras["milvus"], *extras["training"]]  # fmt: skip
    lines = (root / "requirements.lock").read_text("utf-8").splitlines()
    locked = dict(line.split("==") for line in lines if not line.startswith("#"))
    for requirement in map(Requirement, wanted):
        if requirement.name != "article-qa":
            version = locked[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version), requirement


def test_the_seed_is_as_given() -> None:
    import hashlib

    seed = PACKAGE.parents[1] / "seeds" / "000_85ebba8beb37503f.txt"
    assert hashlib.sha256(seed.read_bytes()).hexdigest() == SEED_SHA256


SEED_SHA256 = "d0ee9640b10827a838fa34aab3d5f9604c9b0473f300596c43f2195b8e195d35"
