"""One command a file; `edge.cli` names them all."""
