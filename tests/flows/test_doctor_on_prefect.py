"""The doctor and a real Prefect server understand each other."""

import prefect
from prefect.settings import PREFECT_API_URL

from gatewright.services.checkup import Check, look
from gatewright.services.checkup.servers import look_at_prefect
from gatewright.services.prefect_api import PrefectApi, PrefectSettings


def test_a_real_server_tells_its_version_and_that_nothing_is_registered(prefect_server: None) -> None:
    """Its answers have the shape that is read, also of a pool that does not exist."""
    settings = PrefectSettings(api_url=PREFECT_API_URL.value())
    findings = list(look([Check("Prefect server", lambda: look_at_prefect(settings, prefect.__version__))]))
    assert (findings[0].status, findings[0].found.split(",")[0]) == ("OK", prefect.__version__)
    assert [one.part for one in findings[:2]] == ["Prefect server", "deployments"]
    assert "Traceback" not in str(findings)
    (missing,) = look([Check("work pool", lambda: PrefectApi.connect(settings).online_workers("none"))])  # type: ignore[arg-type,return-value]
    assert missing.status == "FAIL"
