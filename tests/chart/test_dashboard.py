"""The dashboard: what Grafana takes, and nothing that the program does not serve."""

import re

import charts
import pytest
import watching

# What Grafana puts in place of its own variables, for promtool.
GRAFANA = {"$__rate_interval": "5m", "$__interval": "1m", "$__range": "1d"}


def panels() -> list:
    """The panels, those inside of rows too."""
    top = watching.dashboard()["panels"]
    return top + [inner for it in top for inner in it.get("panels", [])]


def expressions() -> "list[tuple[str, str]]":
    """Each expression with the title of its panel."""
    return [(it["title"], target["expr"]) for it in panels() for target in it.get("targets", [])]


def plain(expression: str) -> str:
    for variable, value in GRAFANA.items():
        expression = expression.replace(variable, value)
    return expression


def test_it_is_one_that_grafana_10_and_11_read():
    it = watching.dashboard()
    assert it["uid"] == "deployment-recorder" and "id" not in it
    assert 36 <= it["schemaVersion"] <= 39
    assert it["panels"] and it["title"]


def test_each_panel_has_an_id_a_title_and_words_that_explain_it():
    ids = [it["id"] for it in panels()]
    assert len(ids) == len(set(ids))
    for it in panels():
        assert it["title"]
        if it["type"] != "row":
            assert it["description"].endswith("."), it["title"]
            assert it["targets"], it["title"]


def test_panels_stand_side_by_side_within_the_grid():
    taken = {}
    for it in panels():
        at = it["gridPos"]
        assert at["x"] >= 0 and at["x"] + at["w"] <= 24, it["title"]
        for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])):
            assert taken.setdefault(cell, it["title"]) == it["title"], f"{it['title']} at {cell}"


def test_the_same_panel_asks_for_each_thing_once():
    for it in panels():
        references = [target["refId"] for target in it.get("targets", [])]
        assert len(references) == len(set(references)), it["title"]


def test_the_rows_are_the_questions_that_people_have():
    assert [it["title"] for it in panels() if it["type"] == "row"] == ["Is it true?", "GitHub", "Cluster", "Process"]


def test_every_expression_is_one_of_prometheus(tmp_path):
    found = [plain(expression) for _, expression in expressions()]
    assert len(found) > 30
    watching.check_rules(tmp_path, found)


def test_an_expression_that_is_none_would_be_found(tmp_path):
    with pytest.raises(watching.Wrong):
        watching.check_rules(tmp_path, ["sum by (x) ("])


def test_every_metric_label_and_value_is_one_that_the_program_serves():
    served = {label for labels in watching.listed().values() for label in labels}
    for title, expression in expressions():
        assert watching.unknown_series(expression) == [], title
        assert watching.grouped_by(expression) <= served | {"cluster", "namespace", "job", "instance"}, title


def test_legends_name_labels_that_are_left():
    for it in panels():
        for target in it.get("targets", []):
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                whole = "by (" not in target["expr"]
                assert whole or label in watching.grouped_by(target["expr"]), it["title"]


def test_every_metric_but_a_few_is_shown():
    shown = {name for _, expression in expressions() for name in re.findall(r"\b(?:deployment_recorder|process)_\w+", expression)}
    left = set(watching.listed()) - shown
    assert left == {
        # Only of use to alerts, or to who asks for them.
        "deployment_recorder_first_start", "process_max_fds", "process_virtual_memory_bytes",
        # Of what is off unless it is asked for.
        "deployment_recorder_events_total",
        "deployment_recorder_image_label_lookups_total", "deployment_recorder_image_labels",
        "deployment_recorder_report_lag_seconds_sum", "deployment_recorder_report_lag_seconds_count",
    }


def test_each_series_is_of_what_the_variables_select():
    names = [it["name"] for it in watching.dashboard()["templating"]["list"]]
    assert names == ["datasource", "cluster", "namespace", "job", "instance"]
    for title, expression in expressions():
        for matchers in re.findall(r"(?:deployment_recorder|process)_\w+(\{[^}]*\})?", expression):
            for name in ("cluster", "namespace", "job"):
                assert f'{name}=~"${name}"' in matchers, title
    for it in panels():
        if it["type"] != "row":
            assert it["datasource"]["uid"] == "${datasource}"
            assert {target["datasource"]["uid"] for target in it["targets"]} == {"${datasource}"}


def test_grafana_finds_it_where_values_say():
    settings = ("dashboards.enabled=true", "dashboards.namespace=grafana", "dashboards.annotations.folder=Security")
    found = charts.one(watching.rendered(*settings), "ConfigMap")["metadata"]
    assert found["namespace"] == "grafana"
    assert found["labels"]["grafana_dashboard"] == "1"
    assert found["annotations"] == {"folder": "Security"}
    assert charts.of_kind(watching.rendered(), "ConfigMap") == []
