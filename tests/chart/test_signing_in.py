"""Who signs in at GitHub: from files of a Secret, and nothing secret is anywhere else."""

import base64

import charts
import pytest

SECRETS = ("THE-TOKEN-OF-A-TEST", "THE-PRIVATE-KEY-OF-A-TEST")


def mounted(objects):
    """The Secret, key and path of what the recorder signs in with."""
    spec = charts.one(objects, "Deployment", "recorder")["spec"]["template"]["spec"]
    (volume,) = [it for it in spec["volumes"] if it["name"] == "github"]
    (mount,) = [it for it in charts.recorder(objects)["volumeMounts"] if it["name"] == "github"]
    # A single file of a Secret would not follow its changes.
    assert "subPath" not in mount and mount["readOnly"] is True
    # Nobody but the pod's group reads it.
    assert volume["secret"]["defaultMode"] == 0o440
    (item,) = volume["secret"]["items"]
    return volume["secret"]["secretName"], item["key"], f"{mount['mountPath']}/{item['path']}"


@pytest.mark.parametrize(
    "values, secret, key, flag",
    [
        ("minimal", "github", "token", "github-token-file"),
        ("everything", "github", "gh-token", "github-token-file"),
        ("tracker", "my-api-token-secret", "token", "github-token-file"),
        ("tracker-token", "rec-deployment-recorder-github", "token", "github-token-file"),
        ("app", "github-app", "app.pem", "github-app-private-key-file"),
        ("app-id-by-value", "github-app", "private-key", "github-app-private-key-file"),
        ("tracker-app", "rec-deployment-recorder-github", "private-key", "github-app-private-key-file"),
        ("tracker-app-secret", "my-github-app-secret", "private-key", "github-app-private-key-file"),
    ],
)
def test_it_reads_a_file_of_the_secret(values, helm, secret, key, flag):
    objects = charts.rendered(values, helm)
    found = mounted(objects)
    assert found[:2] == (secret, key)
    assert charts.flags(charts.recorder(objects))[flag] == found[2]


def test_ids_of_an_app_come_from_values_with_all_their_digits(helm):
    given = charts.flags(charts.recorder(charts.rendered("app-id-by-value", helm)))
    assert given["github-app-id"] == "1234567890"
    assert given["github-app-installation-id"] == "98765432101"


def test_ids_of_an_app_come_from_its_secret(helm):
    container = charts.recorder(charts.rendered("app", helm))
    env = {it["name"]: it.get("valueFrom", {}).get("secretKeyRef") for it in container["env"]}
    assert env["DEPLOYMENT_RECORDER_GITHUB_APP_ID"] == {"name": "github-app", "key": "app-id"}
    installation = env["DEPLOYMENT_RECORDER_GITHUB_APP_INSTALLATION_ID"]
    assert installation == {"name": "github-app", "key": "installation-id"}


def test_a_secret_among_the_values_is_in_an_object_of_its_own_and_nowhere_else(helm):
    for values, secret in zip(("tracker-token", "tracker-app"), SECRETS):
        objects = charts.rendered(values, helm)
        own = charts.one(objects, "Secret")
        (held,) = own["data"].values()
        assert base64.b64decode(held).decode() == secret
        others = str([it for it in objects if it is not own])
        for form in (secret, held, held.rstrip("=")):
            assert form not in others


def test_an_organization_may_have_a_token_of_its_own_in_a_file_that_follows_its_secret(helm):
    own = "rec-deployment-recorder-github"
    for values, expected in {
        "everything": {"Tools": ("github-tools", "token"), "games": ("github-games", "pat")},
        "organizations": {"games": (own, "token-of-games"), "tools": ("github-tools", "token")},
    }.items():
        objects = charts.rendered(values, helm)
        container = charts.recorder(objects)
        spec = charts.one(objects, "Deployment", "recorder")["spec"]["template"]["spec"]
        (volume,) = [it for it in spec["volumes"] if it["name"] == "github-organizations"]
        (mount,) = [it for it in container["volumeMounts"] if it["name"] == "github-organizations"]
        assert "subPath" not in mount and mount["readOnly"] is True
        assert volume["projected"]["defaultMode"] == 0o440
        found = {}
        for source in volume["projected"]["sources"]:
            (item,) = source["secret"]["items"]
            found[f"{mount['mountPath']}/{item['path']}"] = (source["secret"]["name"], item["key"])
        given = charts.flags(container)["org-token-file"].split("\n")
        files = dict(it.split("=") for it in given)
        assert {name: found[file] for name, file in files.items()} == expected


def test_tokens_of_organizations_among_the_values_are_in_the_one_secret_and_nowhere_else(helm):
    objects = charts.rendered("organizations", helm)
    own = charts.one(objects, "Secret")
    assert list(own["data"]) == ["token-of-games"]
    held = own["data"]["token-of-games"]
    assert base64.b64decode(held).decode() == "THE-TOKEN-OF-GAMES"
    others = str([it for it in objects if it is not own])
    assert "THE-TOKEN-OF-GAMES" not in others and held not in others


def test_no_secret_is_made_where_none_is_given(values):
    made = charts.of_kind(charts.rendered(values), "Secret")
    assert len(made) == (values in ("tracker-token", "tracker-app", "organizations"))


def test_the_sandbox_gets_no_token_that_is_meant_for_github():
    given = ["--values", charts.values_files()["minimal"], "--set", "sandbox.enabled=true"]
    given += ["--set", "auth.organizations.tools.existingSecret=tools"]
    objects = charts.render("helm4", *given)
    spec = charts.one(objects, "Deployment", "recorder")["spec"]["template"]["spec"]
    assert "volumes" not in spec
    assert not {"github-token-file", "org-token-file"} & charts.flags(charts.recorder(objects)).keys()


def test_a_dry_run_needs_nobody():
    container = charts.recorder(charts.rendered("dry-run"))
    assert "volumeMounts" not in container and "dry-run" in charts.flags(container)


def test_job_and_test_sign_in_as_the_recorder_does(values):
    objects = charts.rendered(values)
    recorder = charts.one(objects, "Deployment", "recorder")["spec"]["template"]["spec"]
    (reference,) = [it for it in recorder["containers"] if it["name"] == "recorder"]
    for component in ("decommission", "check"):
        for pod in charts.pods(charts.of_kind(objects, "Job", component) + charts.of_kind(objects, "Pod", component)).values():
            (container,) = pod["spec"]["containers"]
            assert pod["spec"].get("volumes") == recorder.get("volumes")
            for same in ("env", "envFrom", "volumeMounts", "image", "securityContext"):
                assert container.get(same) == reference.get(same)
