"""The rooms import one way, the command starts quickly, and rules call the command and nothing else."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ORDER = ("config", "plan", "demo", "data", "features", "losses", "models", "methods", "training")
ORDER += ("inference", "evaluation", "reports", "app", "cli")
RANK = {room: rank for rank, room in enumerate(ORDER)}
COMMON = {"devices", "errors", "files", "identity", "log", "threads"}


def modules(project: Path) -> list[Path]:
    return sorted((project / "ugcl").rglob("*.py"))


def imported(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def room(path: Path, project: Path) -> str | None:
    parts = path.relative_to(project / "ugcl").parts
    return parts[0] if len(parts) > 1 else None


def test_imports_go_one_way(project: Path) -> None:
    faults = []
    for path in modules(project):
        own = room(path, project)
        for name in imported(path):
            parts = name.split(".")
            if parts[0] != "ugcl" or len(parts) < 2 or parts[1] in COMMON or own is None or parts[1] == own:
                continue
            other = parts[1]
            if own == "provenance":
                allowed = other in ("config", "plan")
            elif other == "provenance":
                allowed = own == "cli"
            else:
                allowed = other not in RANK or RANK[other] < RANK[own]
            if not allowed:
                faults.append(f"{path.relative_to(project)} imports {name}")
    assert not faults


def imported_when_loaded(path: Path, names: set[str]) -> set[str]:
    """Modules of `names` that a module imports outside its functions, for type checkers alone included."""
    found: set[str] = set()
    nodes: list[ast.AST] = [ast.parse(path.read_text())]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= full & names or {str(node.module)}
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            nodes += ast.iter_child_nodes(node)
    return found & names


def circle(graph: dict[str, set[str]]) -> list[str]:
    """One circle of a graph, or nothing: what remains when nodes without remaining successors are removed."""
    left = dict(graph)
    while leaves := [node for node, targets in left.items() if not targets & left.keys()]:
        for node in leaves:
            del left[node]
    path: list[str] = []
    node = min(left, default="")
    while node and node not in path:
        path.append(node)
        node = min(left[node] & left.keys())
    return path[path.index(node) :] if path else []


def test_no_modules_import_each_other_in_a_circle(project: Path) -> None:
    files = {
        ".".join(path.relative_to(project).with_suffix("").parts).removesuffix(".__init__"): path
        for path in modules(project)
    }
    graph = {name: imported_when_loaded(path, set(files)) for name, path in files.items()}
    # The settings of a method check the run that holds them: each describes the other by type alone.
    for name in graph:
        if name.startswith("ugcl.config.methods."):
            graph[name].discard("ugcl.config.root")
    assert sum(map(len, graph.values())) > 500, "the graph has its edges"
    assert circle(graph) == []


def test_a_circle_is_found_behind_modules_outside_of_it() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"d", "e"}, "d": {"b"}, "e": set()}
    assert circle(graph) == ["b", "c", "d"]
    assert circle({**graph, "d": {"e"}}) == []


def test_the_package_knows_no_workflow_engine(project: Path) -> None:
    for path in modules(project):
        tops = {name.split(".")[0] for name in imported(path)}
        assert not tops & {"snakemake", "dvc", "parselmouth_cli"}, path


def test_nothing_prints(project: Path) -> None:
    for path in modules(project):
        calls = [n.func for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
        assert not [f for f in calls if isinstance(f, ast.Name) and f.id == "print"], path


def test_rules_call_the_command_and_never_dvc(project: Path) -> None:
    for path in (project / "workflow/rules").glob("*.smk"):
        text = path.read_text()
        assert "script:" not in text, path
        assert "\n    run:" not in text, path
        assert "dvc " not in text, path
        assert "directory(" not in text, path


@pytest.mark.parametrize("heavy", ["torch", "pandas", "cv2", "matplotlib", "transformers", "av"])
def test_help_and_the_snakefiles_imports_load_nothing_heavy(heavy: str, project: Path) -> None:
    script = (
        "import sys, pkgutil, importlib, ugcl.cli.main, ugcl.config, ugcl.plan, ugcl.provenance.lineage;"
        " [importlib.import_module(m.name) for m in pkgutil.iter_modules(ugcl.plan.__path__, 'ugcl.plan.')];"
        f" sys.exit({heavy!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=project, check=False).returncode == 0


def test_scores_and_summary_do_without_torch_which_takes_seconds_to_load(project: Path) -> None:
    names = ", ".join(f"ugcl.evaluation.tables.{name}" for name in ("score", "benchmark", "summary"))
    script = f"import sys, {names}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=project, check=False).returncode == 0


def test_files_are_short(project: Path) -> None:
    for path in [*modules(project), *(project / "workflow/rules").glob("*.smk")]:
        assert len(path.read_text().splitlines()) <= 350, path


def test_folders_hold_at_most_twelve_files(project: Path) -> None:
    folders = {path.parent for path in modules(project)}
    counts = {str(f.relative_to(project)): len(list(f.glob("*.py"))) for f in sorted(folders)}
    assert {folder: count for folder, count in counts.items() if count > 12} == {}


def test_functions_are_short(project: Path) -> None:
    long = {}
    for path in modules(project):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                if lines > 60:
                    long[f"{path.relative_to(project)}: {node.name}"] = lines
    assert long == {}


def test_the_clips_of_a_fold_have_one_door(project: Path) -> None:
    """Who joins split, quarantine and features by hand forgets one of them some day."""
    found = {}
    for path in modules(project):
        calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        names = {f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", "") for f in calls}
        names &= {"part_rows", "FeatureStore"}
        if names:
            found[path.relative_to(project / "ugcl").as_posix()] = names
    assert found == {"data/parts.py": {"part_rows", "FeatureStore"}}
