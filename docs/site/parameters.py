"""The page of parameters, made from the schema that the package writes (`ugcl params schema`)."""

from __future__ import annotations

import json
from typing import Any

HEAD = """# Parameters

Every key of `params.yaml` and `params/*.yaml`. This page is made from [the JSON schema](params.schema.json),
which editors use to complete and check the files. How to use the keys: [Configuration](configuration.md).
Settings of methods: [Methods](methods.md).
"""
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
CHOOSING = ("adapter", "kind", "scheme", "detector", "name")
"""Keys whose value chooses the type of a section."""
TYPES = {"boolean": "true, false", "null": "null", "object": "mapping", "string": "text"}


class Page:
    """Collects the sections of the page: a heading per key, below it what its values are made of."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.types: dict[str, Any] = schema["$defs"]
        self.titles = {name: self._title(name) for name in self.types}
        methods = [kind["$ref"].rpartition("/")[2] for kind in schema["properties"]["method"]["oneOf"]]
        self.links = {name: f"methods.md#{self.titles[name].removeprefix('name: ')}" for name in methods}
        self.links["Foreign"] = "contributing.md#add-a-system"
        self.lines = [HEAD]
        for key, found in schema["properties"].items():
            self._section(key, found)

    def _title(self, name: str) -> str:
        """`FolderCorpus`, or `adapter: folder` where a key chooses the type."""
        properties = self.types[name]["properties"]
        chosen = [
            f"{key}: {properties[key]['const']}" for key in CHOOSING if "const" in properties.get(key, {})
        ]
        return chosen[0] if chosen else name

    def _section(self, key: str, found: dict[str, Any]) -> None:
        below = [name for name in self._reached(found) if name not in self.links]
        own = self.types[below[0]] if found.get("$ref") and below else {}
        self._heading(f"## `{key}`", found, own)
        if own:
            self.links[below[0]] = f"#{key}"
        anchors = {}
        for name in below[bool(own) :]:
            anchors[name] = f"{key}-{self.titles[name]}".lower().replace(": ", "-")
            self.links[name] = f"#{anchors[name]}"
        if own:
            self._table(own)
        else:
            self.lines += [f"Values: {self._values(found)}.", ""]
        for name, anchor in anchors.items():
            self._heading(f"### `{self.titles[name]}` {{: #{anchor} }}", self.types[name])
            self._table(self.types[name])

    def _heading(self, text: str, *places: dict[str, Any]) -> None:
        description = self._text(*places)
        self.lines += [text, "", *([description, ""] if description else [])]

    def _reached(self, found: Any, seen: tuple[str, ...] = ()) -> list[str]:
        """Names of the types that a value may hold, each once, in the order of the schema."""
        names = list(seen)
        if isinstance(found, dict):
            name = str(found.get("$ref", "")).rpartition("/")[2]
            if name and name not in names and name not in self.links:
                names = self._reached(self.types[name]["properties"], (*names, name))
            for key, inner in found.items():
                names = names if key in ("discriminator", "default") else self._reached(inner, tuple(names))
        elif isinstance(found, list):
            for inner in found:
                names = self._reached(inner, tuple(names))
        return names

    @staticmethod
    def _text(*places: dict[str, Any]) -> str:
        """The first description, its paragraphs on one line."""
        return next((" ".join(p["description"].split()) for p in places if p.get("description")), "")

    def _table(self, kind: dict[str, Any]) -> None:
        rows = [
            (f"`{key}`", self._values(found), self._default(key, found, kind), self._text(found))
            for key, found in kind["properties"].items()
        ]
        if rows:
            cells = [("key", "values", "default", "meaning"), ("---",) * 4, *rows]
            self.lines += [
                "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells
            ]
            self.lines.append("")

    def _values(self, found: dict[str, Any]) -> str:
        if "$ref" in found:
            name = found["$ref"].rpartition("/")[2]
            return f"[{self.titles[name]}]({self.links[name]})" if name in self.links else self.titles[name]
        if "const" in found or "enum" in found:
            return ", ".join(f"`{value}`" for value in found.get("enum", [found.get("const")]))
        for key in ("anyOf", "oneOf"):
            if key in found:
                texts = dict.fromkeys(self._values(inner) for inner in found[key])
                return " or ".join(texts)
        if found.get("type") == "array":
            return f"list of {self._values(found.get('items', {}))}" if found.get("items") else "list"
        inner = next(iter(found.get("patternProperties", {}).values()), found.get("additionalProperties"))
        if isinstance(inner, dict):
            return f"name → {self._values(inner)}"
        name = str(found.get("type", "any"))
        bounds = ", ".join(
            f"{sign}\N{NO-BREAK SPACE}{found[key]:g}" for key, sign in BOUNDS.items() if key in found
        )
        return f"{TYPES.get(name, name)} {bounds}".strip()

    @staticmethod
    def _default(key: str, found: dict[str, Any], kind: dict[str, Any]) -> str:
        if "default" not in found:
            return "required" if key in kind.get("required", []) and "const" not in found else ""
        default = found["default"]
        if isinstance(default, dict) and (
            len(default) > 2 or any(isinstance(v, dict) for v in default.values())
        ):
            return ""  # stands in the table of that type, key by key
        return f"`{json.dumps(default, ensure_ascii=False)}`"


def markdown(schema: dict[str, Any]) -> str:
    """The page, from the JSON schema of the parameter tree."""
    return "\n".join(Page(schema).lines)
