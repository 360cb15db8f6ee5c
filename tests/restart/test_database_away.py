"""The product while its PostgreSQL is away: restarted, or behind a network that is gone."""

import os
from collections.abc import Iterator
from time import sleep
from urllib.parse import urlsplit

import httpx
import pytest

from tests.browser.orders import Orders
from tests.exactly_once.operator_driver import desk_at, sign_in, told
from tests.support.cut_link import Cut, CutLink
from tests.support.product import Product, wait_until
from tests.support.test_databases import new_database

pytestmark = pytest.mark.skipif(
    not os.environ.get("TEST_DATABASE_URL"), reason="needs PostgreSQL (make test-postgres)"
)

AWAY_SECONDS = float(os.environ.get("AWAY_SECONDS", "3"))
PROFILES = """
[profiles.printing]
agent = 'i=0; while [ $i -lt {ticks} ]; do i=$((i+1)); echo tick $i; sleep 0.1; done'
verify = "true"

[profiles.silent]
agent = 'sleep {seconds}'
verify = "true"
"""


@pytest.fixture(scope="module")
def link() -> Iterator[CutLink]:
    port = urlsplit(os.environ["TEST_DATABASE_URL"]).port or 5432
    with CutLink(port) as link:
        yield link


@pytest.fixture(scope="module")
def product(link: CutLink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    directory = tmp_path_factory.mktemp("away")
    url = urlsplit(new_database(directory))
    through_link = url._replace(netloc=f"{url.username}@127.0.0.1:{link.port}").geturl()
    with Product(directory, DATABASE_URL=through_link, WEB_PROCESSES="1") as product:
        with Orders(product) as orders:
            orders.prepare()
        seconds = AWAY_SECONDS + 2
        profiles = PROFILES.format(seconds=seconds, ticks=round(seconds * 10))
        with (directory / "profiles.toml").open("a") as file:
            file.write(profiles)
        yield product


@pytest.fixture(scope="module")
def cookies(product: Product) -> httpx.Cookies:
    return sign_in(product)


@pytest.mark.parametrize("how", Cut)
def test_runs_go_on_and_a_start_is_one_start(
    product: Product, link: CutLink, cookies: httpx.Cookies, how: Cut
) -> None:
    with Orders(product) as orders, desk_at(product, cookies) as desk:
        runs = [orders.trigger(orders.create(profile)) for profile in ("printing", "silent")]
        for run_id in runs:
            orders.wait_for(run_id, {"running"})
        work_order_id = orders.create("passing")
        dialog = desk.open_dialog(work_order_id)
        link.cut(how)
        try:
            if how is Cut.REFUSED:
                page = desk.send("get", f"/work-orders/{work_order_id}/", {})
                assert page.status == 503
                assert "The database cannot be used right now" in page.text
                key = (product.data_dir / "runs-api-key").read_text().strip()
                answer = httpx.post(
                    f"{product.url}/api/v1/work-orders/{work_order_id}/runs",
                    headers={"Authorization": f"Bearer {key}"},
                    trust_env=False,
                    timeout=20,
                )
                assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
                assert answer.json()["error"]["details"] == {"started": False}
                assert dialog.press("Start Run").status == 503
            sleep(AWAY_SECONDS)
        finally:
            link.heal()
        # A busy machine may need more than one try until the database can be reached again.
        wait_until(lambda: "Run #1" in told(dialog.press("Start Run")).text)
        assert orders.run_numbers(work_order_id) == [1]
        for run_id in runs:
            orders.wait_for(run_id, {"succeeded", "failed"})
            assert (orders.run(run_id)["status"], orders.run(run_id)["error"]) == (
                "succeeded",
                None,
            )
    assert "Traceback" not in product.console
