"""Hashes of code: an edit changes the hash of exactly the scripts that reach the edited module."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from xstilts import fingerprint

FILES = {
    "scripts/work.py": "from xstilts.a import f\n",
    "scripts/late.py": "def main():\n    import xstilts.deep.c as c\n",
    "xstilts/__init__.py": "__version__ = '1'\n",
    "xstilts/a.py": "from xstilts import b\n",
    "xstilts/b.py": "from xstilts.a import f  # a cycle\n",
    "xstilts/other.py": "import json\n",
    "xstilts/deep/__init__.py": "",
    "xstilts/deep/c.py": "from xstilts.deep import d\n",
    "xstilts/deep/d.py": "",
    "envs/torch-cpu.lock": "torch==1\n",
    "envs/torch.lock": "torch==1\n",
    "envs/xstilts.lock": "numpy==1\n",
}


MODEL_SCRIPTS = [
    "train_stage",
    "pretrain_model",
    "predict_task",
    "predict_retrieval",
    "predict_mining",
    "predict_pool",
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    shutil.copy(str(fingerprint.__file__), tmp_path / "xstilts/fingerprint.py")
    return tmp_path


def fresh(project: Path) -> ModuleType:
    """The module as it would run in that project, with nothing cached."""
    spec = importlib.util.spec_from_file_location("fresh_fingerprint", project / "xstilts/fingerprint.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def hash_of(project: Path, script: str, *modules: str) -> str:
    found: str = fresh(project).code_hash(f"scripts/{script}.py", *modules)
    return found


@pytest.mark.parametrize(
    ("script", "edited", "changes"),
    [
        ("work", "scripts/work.py", True),
        ("work", "xstilts/a.py", True),
        ("work", "xstilts/b.py", True),
        ("work", "xstilts/other.py", False),
        ("work", "xstilts/deep/d.py", False),
        ("work", "scripts/late.py", False),
        ("work", "xstilts/__init__.py", False),
        ("work", "envs/xstilts.lock", True),
        ("late", "xstilts/deep/c.py", True),
        ("late", "xstilts/deep/d.py", True),
        ("late", "xstilts/deep/__init__.py", True),
        ("late", "xstilts/a.py", False),
    ],
)
def test_an_edit_touches_what_imports_it(project: Path, script: str, edited: str, changes: bool) -> None:
    before = hash_of(project, script)
    with (project / edited).open("a", encoding="utf-8") as stream:
        stream.write("# an edit\n")
    assert (hash_of(project, script) != before) is changes


def test_a_module_may_be_named(project: Path) -> None:
    before = hash_of(project, "work", "xstilts.other")
    assert before != hash_of(project, "work")
    (project / "xstilts/other.py").write_text("import os\n", encoding="utf-8")
    assert hash_of(project, "work", "xstilts.other") != before
    with pytest.raises(FileNotFoundError, match=r"xstilts\.nothing"):
        hash_of(project, "work", "xstilts.nothing")


def test_the_place_of_the_project_does_not_matter(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "clone"
    shutil.copytree(project, elsewhere)
    assert hash_of(elsewhere, "work") == hash_of(project, "work")


@pytest.mark.parametrize("script", MODEL_SCRIPTS)
def test_models_do_not_depend_on_the_settings_of_the_run(script: str) -> None:
    reached = {
        path.relative_to(fingerprint.ROOT).as_posix()
        for path in fingerprint.sources(fingerprint.ROOT / f"scripts/{script}.py")
    }
    assert "xstilts/model/checkpoint.py" in reached
    assert ("xstilts/scoring/search.py" in reached) is script.endswith(("retrieval", "mining", "pool"))
    assert not reached & {"xstilts/scoring/mining.py", "xstilts/scoring/ranking.py"}
    unrelated = (
        "xstilts/settings.py",
        "xstilts/plan.py",
        "xstilts/studies",
        "xstilts/micro",
        "xstilts/report",
    )
    assert not [path for path in reached if path.startswith(unrelated)]
