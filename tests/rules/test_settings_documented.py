"""Can an operator read about every setting?"""

from pathlib import Path

import pytest

from portal.settings import Settings

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_readme_names_the_setting(name: str) -> None:
    assert f"`{name}`" in README.read_text(), f"add {name} to the table of settings in README.md"


@pytest.mark.parametrize(("name", "field"), Settings.model_fields.items())
def test_the_setting_says_what_it_does(name: str, field: object) -> None:
    assert getattr(field, "description", None), f"give {name} a description in settings.py"
