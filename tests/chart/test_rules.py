"""The alerts: each fires when it should and not when it should not, and each is explained."""

import re

import charts
import pytest
import watching
import yaml

OWN = {"namespace": "records", "job": "rec-deployment-recorder"}
HOUR = 60
DAY = 24 * HOUR


class Case:
    """What becomes of an alert by a minute, with these series of one value a minute."""

    def __init__(self, alert: str, what: str, minute: int, series: "dict[str, str]", fires=None, not_yet=None):
        self.alert, self.what, self.minute, self.series = alert, what, minute, series
        # The labels with which it fires, beside those that all have; `None`: it does not.
        self.fires = fires
        # A minute before, at which it does not.
        self.not_yet = not_yet

    def __str__(self):
        return f"{self.alert}: {self.what}"


def fires(alert, what, minute, series, not_yet=None, **labels):
    """A case in which it fires."""
    return Case(alert, what, minute, series, fires=labels, not_yet=not_yet)


def quiet(alert, what, minute, series):
    """A case in which it does not."""
    return Case(alert, what, minute, series)


def last(pod: str = "a") -> str:
    return f'last_success_timestamp_seconds{{instance="{pod}"}}'


def requests(status: str) -> str:
    return f'github_requests_total{{operation="set-cluster-deployment-records", status="{status}"}}'


def beside_a_standby(name: str, values: str, **labels: str) -> "dict[str, str]":
    """Values of the replica that leads, and of one that stands by and shows 0."""
    given = "".join(f'{label}="{value}", ' for label, value in labels.items())
    return {f'{name}{{{given}instance="a"}}': values, f'{name}{{{given}instance="b"}}': f"0x{3 * DAY}"}


def gaps(values: str, reason: str = "no-digest") -> "dict[str, str]":
    return beside_a_standby("gaps", values, reason=reason)


CASES = [
    fires("Down", "nobody is there", 15, {}, not_yet=8),
    fires("Down", "it went away", 30, {"build_info": "1x10 stale"}, not_yet=20),
    quiet("Down", "it is there", 15, {"build_info": "1x20"}),
    quiet("Down", "it is started again", 14, {"build_info": "1x10 stale _x5 1x20"}),

    fires("Restarting", "thrice within an hour", 40,
          {"build_info": "1x60", "process_start_time_seconds": "0x10 600x10 1200x10 1800x30"}, not_yet=30),
    quiet("Restarting", "an upgrade", 40,
          {"build_info": "1x60", "process_start_time_seconds": "0x10 600x50"}),
    quiet("Restarting", "another program of the namespace", 40,
          {'build_info{instance="a"}': "1x60",
           'process_start_time_seconds{instance="b"}': "0x10 600x10 1200x10 1800x30"}),

    fires("NotSynced", "one kind of two", 20,
          {'mirror_synced{kind="Pod"}': "1x30", 'mirror_synced{kind="Job"}': "0x30"}, not_yet=12, kind="Job"),
    fires("NotSynced", "one replica of two", 20,
          {'mirror_synced{kind="Pod", instance="a"}': "1x30", 'mirror_synced{kind="Pod", instance="b"}': "0x30"},
          kind="Pod"),
    quiet("NotSynced", "it is interrupted at times", 20,
          {'mirror_synced{kind="Pod"}': "1x10 0x10 1x1 0x10 1x20"}),

    fires("OwnerUnreadable", "for more than an hour", 70, gaps("2x80", "owner-unreadable"), not_yet=50),
    quiet("OwnerUnreadable", "there is none", 70, gaps("0x80", "owner-unreadable")),
    quiet("OwnerUnreadable", "gaps of another reason", 70, gaps("2x80")),

    fires("GapsGrow", "since yesterday", 2 * DAY + 2 * HOUR, gaps(f"5x{2 * DAY} 20x{DAY}"), reason="no-digest"),
    quiet("GapsGrow", "by a few", 2 * DAY + 2 * HOUR, gaps(f"5x{2 * DAY} 12x{DAY}")),
    quiet("GapsGrow", "for some minutes", 2 * DAY + 15, gaps(f"5x{2 * DAY} 20x{DAY}")),
    quiet("GapsGrow", "there were as many yesterday", 2 * DAY, gaps(f"5x{DAY} 20x{HOUR} 5x{DAY - 3 * HOUR} 20x{DAY}")),
    quiet("GapsGrow", "on the first day", 2 * HOUR, gaps(f"500x{DAY}")),
    quiet("GapsGrow", "another replica leads now", 2 * DAY + 2 * HOUR,
          {'gaps{reason="no-digest", instance="a"}': f"20x{2 * DAY} stale",
           'gaps{reason="no-digest", instance="b"}': f"0x{2 * DAY} 20x{DAY}"}),

    fires("NotReporting", "for half an hour and more", 40, {last(): "60x50"}, not_yet=34),
    fires("NotReporting", "it ended meanwhile and began anew", 50, {last("a"): "60x20 stale", last("b"): "_x25 0x50"}),
    quiet("NotReporting", "the last time is not long ago", 30, {last(): "60x50"}),
    quiet("NotReporting", "another replica took over", 90, {last("a"): "60x50", last("b"): "0x60 3600x60"}),
    quiet("NotReporting", "it never did", 90, {last(): "0x100"}),

    fires("NeverReported", "since it was started", 35, {last(): "0x50"}, not_yet=25),
    fires("NeverReported", "it ends and is started again and again", 60, {last(): "0x5 _x8 0x5 _x8 0x5 _x8 0x5 _x8 0x20"}),
    quiet("NeverReported", "it was just started again", 60, {last("a"): "60x15 0x60"}),
    quiet("NeverReported", "one of two replicas did", 50, {last("a"): "60x60", last("b"): "0x60"}),

    fires("NoLeader", "of two replicas", 10,
          {'leader{instance="a"}': "1x1 0x20", 'leader{instance="b"}': "0x20"}, not_yet=5),
    quiet("NoLeader", "a standby beside a leader", 10,
          {'leader{instance="a"}': "0x20", 'leader{instance="b"}': "1x20"}),
    quiet("NoLeader", "for a moment", 7, {"leader": "1x5 0x2 1x10"}),

    fires("TwoLeaders", "of two replicas", 10,
          {'leader{instance="a"}': "1x20", 'leader{instance="b"}': "1x20"}, not_yet=4),
    quiet("TwoLeaders", "another takes over", 7,
          {'leader{instance="a"}': "1x7 0x20", 'leader{instance="b"}': "0x5 1x20"}),
    quiet("TwoLeaders", "two releases in one namespace", 10,
          {'leader{job="other"}': "1x20", "leader": "1x20"}),

    fires("LedgerNotStored", "for ten minutes", 15, beside_a_standby("ledger_store_failing", "1x20"), not_yet=9),
    quiet("LedgerNotStored", "for a moment", 10, beside_a_standby("ledger_store_failing", "0x5 1x5 0x10")),

    fires("LedgerLost", "a process finds none where there was one", 3 * HOUR + 30, {
        'ledger_records{instance="a"}': f"0x30 7x{3 * HOUR - 40} stale",
        'ledger_records{instance="b"}': f"_x{3 * HOUR} 1x{3 * HOUR}",
        'ledger_records{instance="c"}': f"0x{6 * HOUR}",
        'first_start{instance="b"}': f"_x{3 * HOUR} 1x{3 * HOUR}",
        'first_start{instance="c"}': f"0x{6 * HOUR}",
        'process_start_time_seconds{instance="b"}': f"_x{3 * HOUR} {3 * HOUR * 60}x{3 * HOUR}",
        'process_start_time_seconds{instance="c"}': f"_x{3 * HOUR} {3 * HOUR * 60}x{3 * HOUR}",
    }, not_yet=2 * HOUR),
    quiet("LedgerLost", "there was nothing in it", 3 * HOUR + 30, {
        'ledger_records{instance="a"}': f"0x{3 * HOUR - 2} stale",
        'first_start{instance="b"}': f"_x{3 * HOUR} 1x{3 * HOUR}",
        'process_start_time_seconds{instance="b"}': f"_x{3 * HOUR} {3 * HOUR * 60}x{3 * HOUR}",
    }),
    quiet("LedgerLost", "the first start", 30,
          {"ledger_records": f"7x{3 * HOUR}", "first_start": f"1x{3 * HOUR}",
           "process_start_time_seconds": f"0x{3 * HOUR}"}),
    quiet("LedgerLost", "hours after the first start", 3 * HOUR,
          {"ledger_records": f"7x{4 * HOUR}", "first_start": f"1x{4 * HOUR}",
           "process_start_time_seconds": f"0x{4 * HOUR}"}),
    quiet("LedgerLost", "a restart finds it", 3 * HOUR + 30,
          {"ledger_records": f"7x{4 * HOUR}", "first_start": f"1x{3 * HOUR} 0x{HOUR}",
           "process_start_time_seconds": f"0x{3 * HOUR} {3 * HOUR * 60}x{HOUR}"}),

    fires("Blocked", "for ten minutes", 15, beside_a_standby("github_blocked", "1x20"), not_yet=9),
    quiet("Blocked", "for a moment", 10, beside_a_standby("github_blocked", "0x5 1x5 0x10")),

    fires("TokenRefused", "again and again", 15, {"github_auth_failures_total": "0x5 1x2 2x2 3x2 4x10"}, not_yet=7),
    fires("TokenRefused", "before a restart and after it", 20,
          {"github_auth_failures_total": "0x2 1x2 2x2 3x2 0x2 1x10"}),
    quiet("TokenRefused", "once, when it was replaced", 15, {"github_auth_failures_total": "0x5 1x20"}),

    fires("ApiVersionWithdrawn", "more than an hour ago", 110, {requests("410"): "0x40 1x80"}, not_yet=30),
    fires("ApiVersionWithdrawn", "before a restart", 60, {requests("410"): "0x40 1x5 0x80"}),
    quiet("ApiVersionWithdrawn", "another status", 90, {requests("404"): "0x40 1x80", requests("410"): "0x120"}),

    fires("RequestsFailing", "most of them", 60, {requests("503"): "0+3x60", requests("200"): "0+1x60"}, not_yet=12),
    fires("RequestsFailing", "no answer comes", 60, {requests("timeout"): "0+1x60", requests("200"): "5x60"}),
    fires("RequestsFailing", "of the few of an hour", 60,
          {requests("broken"): "0x5 1x9 2x9 3x9 4x9 5x9 6x9", requests("200"): "5x60"}),
    quiet("RequestsFailing", "half of them", 60, {requests("503"): "0+1x60", requests("200"): "0+1x60"}),
    quiet("RequestsFailing", "records that GitHub refuses", 60, {requests("404"): "0+3x60", requests("200"): "0+1x60"}),
    quiet("RequestsFailing", "there are none", 60, {requests("503"): "7x60", requests("200"): "7x60"}),

    fires("Waiting", "GitHub says so, and is asked in between", 45,
          beside_a_standby("github_wait_seconds", "900x8 0x1 900x8 0x1 900x60", reason="told-to-wait"),
          not_yet=25, reason="told-to-wait"),
    quiet("Waiting", "for five minutes", 45, beside_a_standby("github_wait_seconds", "300x60", reason="limited")),
    quiet("Waiting", "a full snapshot, for its share", 45, beside_a_standby("github_wait_seconds", "900x60", reason="share")),

    fires("Withheld", "for hours", 130, beside_a_standby("withheld", "2x150", reason="end-refused"),
          not_yet=110, reason="end-refused"),
    quiet("Withheld", "for an hour", 60, beside_a_standby("withheld", "2x60 0x90", reason="moving")),
    quiet("Withheld", "nothing is", 130, beside_a_standby("withheld", "0x150", reason="moving")),
    quiet("Withheld", "what has an alert of its own", 130, beside_a_standby("withheld", "9x150", reason="mass-decommission")),

    fires("MassDecommission", "at once", 5, beside_a_standby("withheld", "0x4 9x2 0x20", reason="mass-decommission"),
          not_yet=4),
    fires("MassDecommission", "it can still be read afterwards", 12,
          beside_a_standby("withheld", "0x4 9x2 0x20", reason="mass-decommission")),
    quiet("MassDecommission", "other reasons", 5, beside_a_standby("withheld", "9x10", reason="not-covered")),

    fires("Unauthorized", "for more than an hour", 70, gaps("2x80", "unauthorized"), not_yet=50),
    quiet("Unauthorized", "there is none", 70, gaps("0x80", "unauthorized")),
    quiet("Unauthorized", "gaps of another reason", 70, gaps("2x80", "not-found")),
]


def series_of(case: Case) -> list:
    """The case's series, with the labels of the release where it does not say otherwise."""
    found = []
    for written, values in case.series.items():
        name, _, given = written.partition("{")
        labels = dict(re.findall(r'(\w+)="([^"]*)"', given))
        full = name if name.startswith("process_") else f"deployment_recorder_{name}"
        labels = {**OWN, "instance": "a", **labels}
        pairs = ", ".join(f'{label}="{value}"' for label, value in labels.items())
        found.append({"series": f"{full}{{{pairs}}}", "values": values})
    return found


def expected(case: Case, rule: dict) -> list:
    """What promtool is to find at which minute."""
    labels = {**OWN, **rule["labels"], **(case.fires or {})}
    found = {case.minute: [] if case.fires is None else [{"exp_labels": labels}]}
    if case.not_yet is not None:
        found[case.not_yet] = []
    return [
        {"eval_time": f"{minute}m", "alertname": rule["alert"], "exp_alerts": alerts}
        for minute, alerts in found.items()
    ]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """What promtool says of each case. Texts are left out; they are checked elsewhere."""
    groups = watching.groups("serviceMonitor.enabled=true")
    rules = {rule["alert"]: rule for group in groups for rule in group["rules"]}
    folder = tmp_path_factory.mktemp("rules")
    # A file for each: promtool judges every rule of a file at every minute of a case.
    for name, rule in rules.items():
        bare = [{"name": "bare", "rules": [{**rule, "annotations": {}}]}]
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({"groups": bare}))
    files = {}
    for number, case in enumerate(CASES):
        rule = rules[f"DeploymentRecorder{case.alert}"]
        test = {"interval": "1m", "input_series": series_of(case), "alert_rule_test": expected(case, rule)}
        file = folder / f"{number}.yaml"
        file.write_text(yaml.safe_dump(
            {"rule_files": [f"{rule['alert']}.yaml"], "evaluation_interval": "1m", "tests": [test]}
        ))
        files[case] = str(file)
    said = watching.judge(list(files.values()))
    return {case: said[file] for case, file in files.items()}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_alert(case, verdicts):
    assert verdicts[case] == "SUCCESS"


def test_each_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not():
    for fires in (True, False):
        with_case = {f"DeploymentRecorder{it.alert}" for it in CASES if (it.fires is not None) == fires}
        assert with_case == set(watching.alerts())


def test_the_rules_and_their_texts_are_prometheus_own(tmp_path):
    for settings in ([], ["config.dryRun=true"], ["podMonitor.enabled=true"], ["config.interval=1h 30min"]):
        file = tmp_path / "rules.yaml"
        file.write_text(yaml.safe_dump({"groups": watching.groups(*settings)}))
        assert "SUCCESS" in watching.promtool("check", "rules", file)


def test_what_promtool_would_not_take_is_found(tmp_path):
    broken = {"groups": [{"name": "x", "rules": [{"alert": "X", "expr": "sum by ("}]}]}
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(broken))
    with pytest.raises(watching.Wrong):
        watching.promtool("check", "rules", file)


def test_no_word_of_the_file_is_left_that_values_decide():
    for rule in watching.alerts().values():
        assert not re.search("@[a-z-]+@", str(rule)), rule["alert"]
    text = (charts.CHART / "files" / "alerts.yaml").read_text()
    assert "@release@" in text


def test_every_metric_label_and_value_is_one_that_the_program_serves():
    ours = {"cluster", "namespace", "job", "instance"}
    for name, rule in watching.alerts("serviceMonitor.enabled=true").items():
        assert watching.unknown_series(rule["expr"]) == [], name
        assert "deployment_recorder_" in rule["expr"], name
        served = {label for labels in watching.listed().values() for label in labels}
        assert watching.grouped_by(rule["expr"]) <= ours | served, name


@pytest.mark.parametrize("expression", [
    "deployment_recorder_leaders", 'deployment_recorder_gaps{state="x"}', 'deployment_recorder_gaps{reason="nothing"}',
    'deployment_recorder_github_requests_total{status=~"503|504"}',
])
def test_what_the_program_does_not_serve_is_found(expression):
    assert watching.unknown_series(f"sum({expression}) > 1") != []


def test_each_series_is_one_of_this_release():
    for name, rule in watching.alerts("serviceMonitor.enabled=true").items():
        for matchers in re.findall(r"(?:deployment_recorder|process)_\w+(\{[^}]*\})?", rule["expr"]):
            assert 'namespace="records", job="rec-deployment-recorder"' in matchers, name


def test_each_alert_has_a_severity_and_texts_that_name_only_labels_it_has():
    for name, rule in watching.alerts().items():
        assert rule["labels"]["severity"] in ("critical", "warning", "info"), name
        texts = rule["annotations"]
        assert set(texts) == {"summary", "description", "runbook_url"}, name
        assert texts["summary"].endswith("."), name
        assert "{{" not in texts["summary"], name
        used = set(re.findall(r"\$labels\.(\w+)", texts["description"]))
        assert used <= watching.grouped_by(rule["expr"]), name


GUIDE = charts.ROOT / "docs" / "alerts.md"


def test_each_alert_leads_to_a_section_that_explains_it():
    sections = dict(re.findall(r"^## (\w+)\n+(.*?)(?=^## |\Z)", GUIDE.read_text(), re.MULTILINE | re.DOTALL))
    explained = {name: text for name, text in sections.items() if name.startswith("DeploymentRecorder")}
    found = watching.alerts()
    assert list(explained) == list(found), "in the same order"
    for name, rule in found.items():
        address, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert address.endswith("/docs/alerts.md") and anchor == name.lower()
        assert explained[name].startswith(f"*{rule['labels']['severity']}"), name
        for word in ("**Means**", "**Look at**", "**Do**"):
            assert word in explained[name], f"{name}: {word}"


def test_the_guide_names_the_times_that_are_used():
    text = GUIDE.read_text()
    for name, rule in watching.alerts().items():
        section = text.split(f"## {name}\n")[1].split("\n## ")[0]
        first = section.strip().splitlines()[0]
        duration = {"1800s": "30m"}.get(rule.get("for"), rule.get("for"))
        assert (f"after {duration}" in first) if duration else "at once" in first, name


def test_a_dry_run_tells_github_nothing_and_is_not_blamed_for_it():
    names = set(watching.alerts("config.dryRun=true"))
    assert {"DeploymentRecorderDown", "DeploymentRecorderNotSynced"} <= names
    assert not names & {"DeploymentRecorderNotReporting", "DeploymentRecorderNoLeader"}


@pytest.mark.parametrize("interval, seconds", [
    ("", 1800), ("5m", 1800), ("10m", 1800), ("1h", 10800), ("1h 30min", 16200), ("90 minutes", 16200), ("30s", 1800),
])
def test_the_last_success_may_be_three_intervals_old(interval, seconds):
    rule = watching.alerts(f"config.interval={interval}")["DeploymentRecorderNotReporting"]
    assert rule["expr"].endswith(f"> {seconds}")


def test_values_change_what_they_say():
    rules = watching.alerts(
        "prometheusRule.defaultRules.thresholds.lastSuccess=2h",
        "prometheusRule.defaultRules.thresholds.withheld=1h30m",
        "prometheusRule.defaultRules.thresholds.notSynced=20m",
        "prometheusRule.defaultRules.thresholds.failedRequests:=0.25",
        "prometheusRule.defaultRules.thresholds.wait=10m",
        "prometheusRule.defaultRules.thresholds.gapsGrowth=3",
        "prometheusRule.defaultRules.thresholds.restarts=9",
        "prometheusRule.defaultRules.disabled={DeploymentRecorderDown,DeploymentRecorderGapsGrow}",
        "prometheusRule.defaultRules.severities.DeploymentRecorderWaiting=info",
        "prometheusRule.alertLabels.team=platform",
        "prometheusRule.runbookUrl=https://runbooks.example.com",
        'prometheusRule.selector=app="recorder"',
    )
    short = {name.removeprefix("DeploymentRecorder"): rule for name, rule in rules.items()}
    assert "Down" not in short and "GapsGrow" not in short
    assert short["NotReporting"]["expr"].endswith("> 7200")
    assert short["NeverReported"]["for"] == "7200s"
    assert short["Withheld"]["for"] == "1h30m"
    assert short["NotSynced"]["for"] == "20m"
    assert short["RequestsFailing"]["expr"].endswith("> 0.25")
    assert short["Waiting"]["expr"].endswith("> 600")
    assert short["Restarting"]["expr"].endswith(">= 9")
    assert short["Waiting"]["labels"] == {"severity": "info", "team": "platform"}
    assert short["Blocked"]["labels"] == {"severity": "critical", "team": "platform"}
    assert short["Blocked"]["annotations"]["runbook_url"] == "https://runbooks.example.com#deploymentrecorderblocked"
    assert '{app="recorder"}' in short["Blocked"]["expr"]


@pytest.mark.parametrize("settings, job", [
    (["serviceMonitor.enabled=true"], "rec-deployment-recorder"),
    (["serviceMonitor.enabled=true", "serviceMonitor.jobLabel=app\\.kubernetes\\.io/instance"], "rec"),
    (["serviceMonitor.enabled=true", "serviceMonitor.jobLabel=team", "service.labels.team=a"], "a"),
    (["serviceMonitor.enabled=true", "serviceMonitor.jobLabel=lacks"], "rec-deployment-recorder"),
    (["podMonitor.enabled=true"], "records/rec-deployment-recorder"),
    (["podMonitor.enabled=true", "podMonitor.namespace=monitoring"], "monitoring/rec-deployment-recorder"),
    (["podMonitor.enabled=true", "podMonitor.jobLabel=app\\.kubernetes\\.io/component"], "recorder"),
    ([], None),
])
def test_the_job_is_the_one_that_the_operator_gives(settings, job):
    down = watching.alerts(*settings)["DeploymentRecorderDown"]["expr"]
    series = f'namespace="records", job="{job}"' if job else 'namespace="records"'
    assert down == f"absent(deployment_recorder_build_info{{{series}}})"


def test_rules_of_ones_own_are_a_group_of_their_own():
    own = watching.groups("prometheusRule.rules[0].alert=Mine", "prometheusRule.rules[0].expr=vector(1)")
    assert own[-1] == {"name": "rec-deployment-recorder.more", "rules": [{"alert": "Mine", "expr": "vector(1)"}]}
