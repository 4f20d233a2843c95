#!/usr/bin/env python3
"""Turns capabilities.json of escpos-printer-db into escpos-printer-db.toml beside this file.

Usage: convert.py capabilities.json > escpos-printer-db.toml
Left out are displays, Star-mode printers, printers without raster pictures and those of unknown width.
"""

import json
import sys

PAGES = {"CP1252": "wpc1252", "CP858": "pc858", "CP850": "pc850", "CP437": "pc437"}


def quote(text):
    return json.dumps(text, ensure_ascii=False)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        profiles = json.load(file)["profiles"]
    print("# Abilities of printers, from escpos-printer-db: see ATTRIBUTION.md. Written by convert.py.")
    for name in sorted(profiles, key=str.lower):
        profile = profiles[name]
        has = profile["features"]
        width = profile["media"].get("width", {}).get("pixels")
        if has["starCommands"] or not has["bitImageRaster"] or not isinstance(width, int):
            continue
        slots = {}
        for slot, page in profile["codePages"].items():
            slots.setdefault(page, int(slot))
        pages = [(ours, slots[theirs]) for theirs, ours in PAGES.items() if theirs in slots]
        cut = "partial" if has["paperPartCut"] else "full" if has["paperFullCut"] else "tear"
        print()
        print("[[profile]]")
        print(f"name = {quote(name)}")
        print(f"maker = {quote(profile['vendor'])}")
        print(f"width_dots = {width // 8 * 8}")
        print(f"qr = {quote('native' if has['qrCode'] else 'raster')}")
        print("pages = [" + ", ".join(f"{{ page = {quote(p)}, slot = {s} }}" for p, s in pages) + "]")
        print(f"cut = {quote(cut)}")


main()
