"""Packs the extension: `npm install && python pack.py` writes blur-VERSION.vsix beside this file.

A .vsix is a zip archive of the extension's files, with a manifest that repeats what package.json says of them.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

HERE = Path(__file__).parent
MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id={name} Version={version} Publisher={publisher} />
    <DisplayName>{title}</DisplayName>
    <Description xml:space="preserve">{description}</Description>
    <Categories>{categories}</Categories>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value={engine} />
      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value="workspace" />
    </Properties>
  </Metadata>
  <Installation><InstallationTarget Id="Microsoft.VisualStudio.Code" /></Installation>
  <Dependencies />
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true" />
    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md" Addressable="true" />
  </Assets>
</PackageManifest>
"""
KNOWN = {".js": "application/javascript", ".json": "application/json", ".vsixmanifest": "text/xml"}


def pack(folder: Path = HERE) -> Path:
    """Raises `SystemExit`, with what to do, if what the extension needs is not installed."""
    package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    missing = [name for name in package["dependencies"] if not (folder / "node_modules" / name).is_dir()]
    if missing:
        raise SystemExit(f"{', '.join(missing)} is not installed: run `npm install` in {folder} first")
    files = [*files_of(folder, package)]
    target = folder / f"{package['name']}-{package['version']}.vsix"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("extension.vsixmanifest", manifest(package))
        archive.writestr("[Content_Types].xml", types({Path(name).suffix for name in files} | {".vsixmanifest"}))
        for name in files:
            archive.write(folder / name, f"extension/{name}")
    return target


def files_of(folder: Path, package: Mapping[str, Any]) -> Iterator[str]:
    """What package.json names, and what it depends on."""
    parts = package["contributes"]
    yield from ("package.json", "README.md", Path(package["main"]).as_posix())
    named = [entry["path"] for kind in ("grammars", "snippets") for entry in parts[kind]]
    named += [language["configuration"] for language in parts["languages"]]
    yield from (Path(name).as_posix() for name in named)
    for path in sorted((folder / "node_modules").rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in inside.parts):
            yield inside.as_posix()


def manifest(package: Mapping[str, Any]) -> str:
    quoted = {key: quoteattr(package[key]) for key in ("name", "version", "publisher")}
    return MANIFEST.format(
        **quoted,
        title=escape(package["displayName"]),
        description=escape(package["description"]),
        categories=escape(",".join(package["categories"])),
        engine=quoteattr(package["engines"]["vscode"]),
    )


def types(suffixes: set[str]) -> str:
    kinds = ((suffix, KNOWN.get(suffix, "application/octet-stream")) for suffix in sorted(suffixes - {""}))
    rows = "".join(f"<Default Extension={quoteattr(suffix)} ContentType={quoteattr(kind)} />" for suffix, kind in kinds)
    space = "http://schemas.openxmlformats.org/package/2006/content-types"
    return f'<?xml version="1.0" encoding="utf-8"?>\n<Types xmlns="{space}">{rows}</Types>\n'


if __name__ == "__main__":
    sys.stdout.write(f"{pack()}\n")
