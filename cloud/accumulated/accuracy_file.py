"""The file that says how sure a plant's meters and factors are (docs/uncertainty.md). File I/O."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloud.errors import CloudError
from edge.calc.errors import InputError
from edge.calc.statements.accuracy import read_accuracy
from firmware_configs.toml import NotTomlError, parse_toml

BYTES_MAX = 1024 * 1024


def read_accuracy_file(path: Path) -> Mapping[str, Any]:
    """Its tables; CloudError names the file and what is wrong in it."""
    try:
        if path.stat().st_size > BYTES_MAX:
            raise CloudError(f"{path}: larger than {BYTES_MAX} bytes")
        said = parse_toml(path.read_bytes())
        read_accuracy(said)
    except OSError as error:
        raise CloudError(f"{path} cannot be read: {error.strerror}") from error
    except NotTomlError as error:
        raise CloudError(f"{path} is not TOML: {error}") from error
    except InputError as error:
        raise CloudError(f"{path}: {'; '.join(error.problems)}") from error
    return said
