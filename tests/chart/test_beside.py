"""What stands beside the recorder: the sandbox, the test, the job at the end, proxies, authorities; and
what comes from github/deployment-tracker's chart."""

import charts
import pytest


def hooks(it):
    return it["metadata"].get("annotations", {}).get("helm.sh/hook")


def env(container):
    return {it["name"]: it.get("value", it.get("valueFrom")) for it in container["env"]}


def test_with_the_sandbox_everything_goes_there(helm):
    objects = charts.rendered("sandbox", helm)
    service = charts.one(objects, "Service", "sandbox")
    name, port = service["metadata"]["name"], service["spec"]["ports"][0]["port"]
    given = charts.flags(charts.recorder(objects))
    assert given["github-api-url"] == f"http://{name}.records.svc:{port}"
    assert "allow-http" in given
    assert (given["org"], given["cluster"], given["logical-environment"]) == ("sandbox",) * 3
    assert service["spec"]["clusterIP"] == "10.96.0.77"


def test_plain_http_is_allowed_to_the_sandbox_alone(values):
    given = charts.flags(charts.recorder(charts.rendered(values)))
    assert ("allow-http" in given) == (values in ("sandbox", "everything"))


def test_a_test_of_helm_checks_what_the_recorder_has(helm):
    objects = charts.rendered("minimal", helm)
    check = charts.one(objects, "Pod")
    assert hooks(check) == "test"
    assert check["spec"]["restartPolicy"] == "Never"
    (container,) = check["spec"]["containers"]
    assert container["args"][0] == "check"
    assert container["args"][1:] == charts.recorder(objects)["args"][1:]
    recorder = charts.one(objects, "Deployment")["spec"]["template"]["spec"]
    assert check["spec"]["serviceAccountName"] == recorder["serviceAccountName"]


def test_records_are_ended_only_if_that_is_asked_for(values):
    asked = {"namespaced", "sandbox", "network", "no-rights", "given-account", "everything"}
    jobs = charts.of_kind(charts.rendered(values), "Job")
    assert bool(jobs) == (values in asked)


@pytest.mark.parametrize("values", ["namespaced", "sandbox", "network", "everything", "given-account"])
def test_the_job_at_the_end_has_rights_for_that_alone(values, helm):
    objects = charts.rendered(values, helm)
    # Its rights are objects of the release: they are there as long as the Job may run, and go with the rest.
    (job,) = [it for it in objects if hooks(it) == "pre-delete"]
    assert job["kind"] == "Job"
    assert job["metadata"]["annotations"]["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"
    mine = [it for it in objects if it["metadata"]["name"] == job["metadata"]["name"]]
    account = ["ServiceAccount"] if values != "given-account" else []
    assert sorted(it["kind"] for it in mine) == ["Job", "Role", "RoleBinding", *account]
    recorder = charts.one(objects, "Deployment", "recorder")["metadata"]["name"]
    (role,) = [it for it in mine if it["kind"] == "Role"]
    scale = role["rules"][0]
    assert (scale["resources"], scale["resourceNames"]) == (["deployments/scale"], [recorder])
    ledger = [it for it in charts.of_kind(objects, "Role") if it["metadata"]["name"] == recorder]
    assert role["rules"][1:] == ledger[0]["rules"]
    spec = job["spec"]["template"]["spec"]
    assert spec["serviceAccountName"] == (job["metadata"]["name"] if account else "given")
    (subject,) = charts.one(mine, "RoleBinding")["subjects"]
    assert subject["name"] == spec["serviceAccountName"]
    (container,) = spec["containers"]
    assert container["args"][0] == "decommission"
    given = charts.flags(container)
    assert {"all", "yes"} <= given.keys() and given["scale-down"] == recorder
    same = ("org", "ledger-name", "interval", "github-api-url", "github-token-file", "allow-http", "log-level")
    runs = charts.flags(charts.recorder(objects))
    assert [given.get(name) for name in same] == [runs.get(name) for name in same]
    assert job["spec"]["activeDeadlineSeconds"] > 0 and job["spec"]["backoffLimit"] >= 0


def test_a_proxy_is_not_used_for_the_api_server(helm):
    found = env(charts.recorder(charts.rendered("network", helm)))
    assert found["HTTP_PROXY"] == found["HTTPS_PROXY"] == "http://proxy.example.com:3128"
    assert found["NO_PROXY"] == "$(KUBERNETES_SERVICE_HOST),.svc,example.com,10.0.0.0/8"
    assert "NO_PROXY" not in env(charts.recorder(charts.rendered("minimal", helm)))


def test_a_proxy_with_a_password_comes_from_a_secret(helm):
    found = env(charts.recorder(charts.rendered("network-secret", helm)))
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        assert found[name] == {"secretKeyRef": {"name": "company-proxy", "key": name, "optional": True}}
    assert found["NO_PROXY"].startswith("$(KUBERNETES_SERVICE_HOST),")


@pytest.mark.parametrize("values, key", [("network", "root.pem"), ("network-secret", "ca.crt")])
def test_more_authorities_stand_beside_those_of_the_image(values, key):
    objects = charts.rendered(values)
    container = charts.recorder(objects)
    found = env(container)
    # The program takes both: the file of the image, and each file of the folder (see test_authorities.py).
    assert found["SSL_CERT_FILE"] == "/etc/ssl/certs/ca-certificates.crt"
    (mount,) = [it for it in container["volumeMounts"] if it["name"] == "ca-bundle"]
    assert found["SSL_CERT_DIR"] == mount["mountPath"]
    assert not "/etc/ssl/certs/".startswith(mount["mountPath"])
    spec = charts.one(objects, "Deployment")["spec"]["template"]["spec"]
    (volume,) = [it for it in spec["volumes"] if it["name"] == "ca-bundle"]
    source = volume.get("configMap") or volume["secret"]
    assert source["items"] == [{"key": key, "path": "00000000.0"}]


def test_values_of_deployment_tracker_do_what_they_did(helm):
    objects = charts.rendered("tracker", helm)
    container = charts.recorder(objects)
    given = charts.flags(container)
    assert given == {
        "org": "my-org",
        "cluster": "my-cluster",
        "logical-environment": "production",
        "github-api-url": "https://api.github.com",
        "exclude-namespaces": "kube-system,kube-public",
        "name-template": "{{namespace}}/{{deploymentName}}/{{containerName}}",
        "ledger-name": "rec-deployment-recorder",
        "github-token-file": "/var/run/secrets/github/token",
        "listen": ":9090",
    }
    assert charts.one(objects, "Service")["spec"]["ports"][0]["port"] == 9090
    # Its image is another program, its probe asks a port that is not here, and its image has a sleep.
    assert container["image"] == charts.IMAGE
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert "initialDelaySeconds" not in container["readinessProbe"]
    assert "lifecycle" not in container
    assert container["securityContext"]["runAsUser"] == 1000
    assert container["resources"]["limits"]["memory"] == "2048Mi"


def test_the_image_of_deployment_tracker_is_not_run_from_a_mirror_either():
    given = ["--values", charts.values_files()["tracker"], "--set", "image.repository=mirror.example.com/github/deployment-tracker"]
    container = charts.recorder(charts.render("helm4", *given))
    assert container["image"] == charts.IMAGE


def test_one_namespace_of_deployment_tracker_is_one_namespace_here(helm):
    given = charts.flags(charts.recorder(charts.rendered("tracker-app", helm)))
    assert given["namespaces"] == "shop"
    assert (given["github-app-id"], given["github-app-installation-id"]) == ("12345", "67890")
