# SPDX-License-Identifier: Apache-2.0
"""The sidecar's HTTP port."""

import json
import urllib.error
import urllib.request

from cluster import free_port


def get(sidecar, path):
    try:
        with urllib.request.urlopen(f"http://{sidecar.ready['http']}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_health_of_a_sidecar_that_works(sidecar):
    status, body = get(sidecar, "/health")
    assert status == 200 and json.loads(body)


def test_health_says_that_postgres_does_not_answer(house):
    with house.sidecar(backend=f"127.0.0.1:{free_port()}") as lonely:
        status, body = get(lonely, "/health")
        assert status == 503 and "postgres" in body.lower()


def test_unknown_path(sidecar):
    assert get(sidecar, "/nothing")[0] == 404
