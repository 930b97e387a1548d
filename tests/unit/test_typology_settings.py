"""The study's settings are validated where the configuration is, without heavy imports."""

import subprocess
import sys

import pytest

from xstilts.command_line import from_json
from xstilts.errors import ConfigError
from xstilts.studies.settings import TypologyJob, TypologySettings


def test_every_field_says_what_it_is_and_has_a_default() -> None:
    TypologySettings()
    assert all(field.description for field in TypologyJob.model_fields.values())


def test_settings_survive_the_command_line() -> None:
    settings = TypologyJob(alpha=0.01, recipes=["mlm", "mnli"], metrics={"tatoeba": "accuracy"})
    assert from_json(TypologyJob, settings.model_dump_json(), "--settings") == settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Invalid JSON"),
        ('{"alhpa": 0.05}', "alhpa"),
        ('{"alpha": 2}', "alpha"),
        ('{"recipes": ["mnli"], "metrics": {"tatoeba": "accuracy"}}', "recipes lacks 'mlm'"),
        ('{"recipes": ["mlm", "mlm"], "metrics": {"tatoeba": "accuracy"}}', "twice"),
        ('{"tasks": ["tatoeba", "sonnets"]}', "metrics has no entry for sonnets"),
    ],
)
def test_wrong_settings_are_named(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_json(TypologyJob, text, "--settings")


def test_they_import_without_statistics() -> None:
    code = (
        "import sys, xstilts.studies.settings as s; print({'pandas', 'scipy', 'pingouin'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
