"""The list of what a bundle holds, as CycloneDX 1.6 JSON: made of the wheels themselves.

https://cyclonedx.org/docs/1.6/json/. Licences are what each package's metadata says; "unknown"
where it says nothing.
"""

import hashlib
import uuid
import zipfile
from collections.abc import Iterable
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

_CLASSIFIER = "License :: "
_SHORT = 80  # a longer "License" is the licence's whole text


def metadata_of(wheel: Path) -> Message:
    """The METADATA of a wheel."""
    with zipfile.ZipFile(wheel) as file:
        (name,) = [n for n in file.namelist() if n.endswith(".dist-info/METADATA")]
        return HeaderParser().parsestr(file.read(name).decode())


def licence_of(metadata: Message) -> dict[str, Any]:
    """A package's licence: an SPDX expression, or the name it gives itself."""
    expression = metadata.get("License-Expression")
    if expression:
        return {"expression": expression}
    classified = [
        text.split(" :: ")[-1]
        for text in metadata.get_all("Classifier") or []
        if text.startswith(_CLASSIFIER)
    ]
    written = (metadata.get("License") or "").strip()
    name = written if 0 < len(written) < _SHORT else ", ".join(classified) or "unknown"
    return {"license": {"name": name}}


def component_of(wheel: Path) -> dict[str, Any]:
    """One wheel as a component."""
    metadata = metadata_of(wheel)
    name, version = metadata["Name"].lower().replace("_", "-"), metadata["Version"]
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return {
        "type": "library",
        "bom-ref": f"pkg:pypi/{name}@{version}?file_name={wheel.name}",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}?file_name={wheel.name}",
        "hashes": [{"alg": "SHA-256", "content": sha256}],
        "licenses": [licence_of(metadata)],
    }


def sbom_of(
    own: Path, wheels: Iterable[Path], vendored: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    """The whole document.

    Args:
        own: the project's wheel: what the document is about.
        wheels: of the packages.
        vendored: components that are inside the project's wheel.
    """
    about = {**component_of(own), "type": "application"}
    parts = sorted(map(component_of, wheels), key=lambda part: str(part["bom-ref"]))
    parts += vendored
    seed = about["hashes"][0]["content"] + "".join(part["bom-ref"] for part in parts)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, seed)}",
        "version": 1,
        "metadata": {"component": about},
        "components": parts,
        "dependencies": [
            {"ref": about["bom-ref"], "dependsOn": [part["bom-ref"] for part in parts]}
        ],
    }
