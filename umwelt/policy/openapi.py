"""Describe the served policy as an OpenAPI 3.1 document, with the forms of its observations and actions."""

from typing import Any

from umwelt import __version__

WHOLE, NUMBER, SENTENCE = {"type": "integer"}, {"type": "number"}, {"type": "string"}


def document(life: str, description: dict[str, Any], link: str) -> dict[str, Any]:
    """The document of a policy. description: of its observations and actions. link: where it is served."""
    told = {
        "reward": {**NUMBER, "default": 0, "description": "What the action before brought."},
        "terminated": {"type": "boolean", "default": False, "description": "The action before ended the episode."},
        "truncated": {"type": "boolean", "default": False, "description": "A limit ended the episode."},
    }
    session = {**SENTENCE, "default": "", "maxLength": 200, "description": "The name of the body that acts."}
    asked = _object({"observation": value(description["observation"]), **told, "session": session}, ["observation"])
    doubt = {"type": ["number", "null"], "description": "About 1 where the model trusts nothing; null where it is unknown."}
    first = {"type": "boolean", "description": "This observation began an episode."}
    answered = _object({"action": value(description["action"]), "doubt": doubt, "first": first}, ["action", "doubt", "first"])
    return {
        "openapi": "3.1.0",
        "info": {"title": f"The policy of the life {life}", "version": __version__},
        "servers": [{"url": link}],
        "security": [{"token": []}],
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Asked": asked, "Answered": answered, "Fault": _object({"error": SENTENCE}, ["error"])},
        },
        "paths": {
            "/act": {"post": _operation("act", "Choose an action", _named("Asked"), _named("Answered"))},
            "/reset": {
                "post": _operation(
                    "reset",
                    "Begin again: the next call of this session begins an episode",
                    _object({"session": session}, []),
                    _object({"session": SENTENCE}, ["session"]),
                )
            },
        },
    }


def value(node: dict[str, Any]) -> dict[str, Any]:
    """The JSON schema of what a `Codec` reads or writes by this description."""
    kind = node["kind"]
    if kind == "flat":
        return value(node["space"])
    if kind in ("entries", "sized"):
        sizes = node.get("sizes") or [None] * len(node["names"])
        pairs = zip(node["names"], node["parts"], sizes, strict=True)
        return _object(
            {str(n): value(part) if size is None else _sized(size) for n, part, size in pairs}, list(map(str, node["names"]))
        )
    if kind == "tuple":
        count = len(node["parts"])
        return {"type": "array", "prefixItems": [value(part) for part in node["parts"]], "minItems": count, "maxItems": count}
    if kind == "one of":
        pairs = [[{"const": which}, value(part)] for which, part in enumerate(node["parts"])]
        return {"anyOf": [{"type": "array", "prefixItems": pair, "minItems": 2, "maxItems": 2} for pair in pairs]}
    if kind == "text":
        return {**SENTENCE, "minLength": node["shortest"], "maxLength": node["length"]}
    if kind == "choice":
        start = node.get("start") or 0
        return {**WHOLE, "minimum": start, "maximum": start + node["n"] - 1}
    if kind == "hot" and not node["shape"]:
        return {**WHOLE, "minimum": node["start"][0], "maximum": node["start"][0] + node["counts"][0] - 1}
    leaf = WHOLE if kind in ("hot", "table", "bytes", "binary") or node.get("dtype", "f")[0] in "iu" else NUMBER
    return _array(node["shape"], {**leaf, "minimum": 0, "maximum": 255} if kind == "bytes" else leaf)


def _sized(size: int) -> dict[str, Any]:
    """So many numbers; one may stand alone."""
    return {"anyOf": [NUMBER, _array([size], NUMBER)]} if size == 1 else _array([size], NUMBER)


def _array(shape: list[int], leaf: dict[str, Any]) -> dict[str, Any]:
    for size in reversed(shape):
        leaf = {"type": "array", "items": leaf, "minItems": size, "maxItems": size}
    return leaf


def _object(fields: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": fields, **({"required": required} if required else {})}


def _named(schema: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{schema}"}


def _operation(name: str, summary: str, asked: dict[str, Any], answered: dict[str, Any]) -> dict[str, Any]:
    faults = {"400": "The request is wrong", "413": "The request is too large", "422": "What it holds does not fit"}
    found = {code: {"description": words, "content": _json(_named("Fault"))} for code, words in faults.items()}
    refused = {"401": {"description": "The token is wrong", "content": {"text/plain": {"schema": SENTENCE}}}}
    return {
        "operationId": name,
        "summary": summary,
        "requestBody": {"required": True, "content": _json(asked)},
        "responses": {"200": {"description": "Done", "content": _json(answered)}, **refused, **found},
    }


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
