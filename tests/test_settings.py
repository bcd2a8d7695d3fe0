"""What a person writes into the environment is read, or named with what it should have been."""

import pytest

from deployments.gateway.serving import read_settings as read_gateway_settings
from gatewright.core.errors import SpecError
from gatewright.wiring import read_settings

NO_LISTS = ["/mnt/data", "", "[", '"/mnt/data"', "null", '{"folder": 1}']


def test_folders_of_data_are_a_json_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order in which they stand there."""
    monkeypatch.setenv("GATEWRIGHT_DATA_ROOTS", '["/mnt/data", "shared"]')
    assert [str(folder) for folder in read_settings().data_roots] == ["/mnt/data", "shared"]


@pytest.mark.parametrize("text", NO_LISTS)
def test_a_setting_that_is_no_list_is_one_clear_error(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command and every server reads it first: a traceback there would end them all."""
    monkeypatch.setenv("GATEWRIGHT_DATA_ROOTS", text)
    with pytest.raises(SpecError) as found:
        read_settings()
    assert found.value.where.startswith("GATEWRIGHT_DATA_ROOTS")
    for name in ("PEOPLE_FILE", "KEY_FILE", "SERVICE_SECRET"):
        monkeypatch.setenv(f"GATEWRIGHT_GATEWAY_{name}", "x" * 20)
    monkeypatch.setenv("GATEWRIGHT_GATEWAY_PROXIES", text)
    with pytest.raises(SpecError) as found:
        read_gateway_settings()
    assert found.value.where.startswith("GATEWRIGHT_GATEWAY_PROXIES")
