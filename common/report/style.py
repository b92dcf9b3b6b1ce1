"""The page's style sheet: calm, light or dark as the reader's system is."""

from __future__ import annotations

STYLE = """
:root { --ink: #22262b; --quiet: #6b737c; --line: #e3e6e9; --paper: #fff; --soft: #f5f6f7; --accent: #2f6f9f;
  --ok: #2c7a4b; --off: #b3402e; --c0: #2f6f9f; --c1: #c2702a; --c2: #3c8a5a; --c3: #8a5aa8; --c4: #a8455a;
  --c5: #6f7f2f }
@media (prefers-color-scheme: dark) { :root { --ink: #dfe3e7; --quiet: #98a1aa; --line: #33383e; --paper: #16191c;
  --soft: #1f2327; --accent: #6aaede; --ok: #6cc18c; --off: #e58a78; --c0: #6aaede; --c1: #e0a060; --c2: #74c292;
  --c3: #bd93d8; --c4: #dd8496; --c5: #b3c268 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
main { max-width: 1120px; margin: 0 auto; padding: 32px 20px 64px }
h1 { font-size: 26px; font-weight: 600; margin: 0 0 12px }
h2 { font-size: 17px; font-weight: 600; margin: 40px 0 10px; padding-top: 14px; border-top: 1px solid var(--line) }
dl { display: flex; flex-wrap: wrap; gap: 4px 28px; margin: 0 }
dt, .quiet, small, .tile span, th, figcaption { color: var(--quiet) }
dt { font-size: 12px } dd { margin: 0 }
.warn { color: var(--off) } .ok { color: var(--ok) } .off { color: var(--off); font-weight: 600 }
.tiles { display: flex; flex-wrap: wrap; gap: 12px; margin-top: 22px }
.tile { background: var(--soft); border-radius: 8px; padding: 12px 18px; min-width: 150px }
.tile b { display: block; font-size: 28px; font-weight: 600; font-variant-numeric: tabular-nums }
.tile span { font-size: 12.5px } sup { font-size: 15px; font-weight: 400 }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th { text-align: left; font-weight: 500; font-size: 12.5px }
th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top }
.number { text-align: right }
.bar { display: block; min-width: 70px; padding: 0 6px; border-radius: 3px; background: linear-gradient(to right,
  color-mix(in srgb, var(--accent) 24%, transparent) var(--share), transparent var(--share)) }
.gallery { width: auto; margin-bottom: 24px } .gallery th, .gallery td { border: 0; padding: 4px 8px 4px 0 }
.gallery img { display: block; width: 150px; border-radius: 4px } small { font-size: 12px }
.palette, .legend { display: flex; flex-wrap: wrap; gap: 2px 16px; font-size: 13px; margin: 4px 0 12px }
.palette span::before { content: ""; display: inline-block; width: 11px; height: 11px; border-radius: 2px;
  margin-right: 6px; background: var(--colour) }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(330px, 1fr)); gap: 18px }
figure { margin: 0 } figcaption { font-size: 13px } svg { width: 100%; height: auto; font-size: 11px }
svg text { fill: var(--quiet) } .grid { stroke: var(--line) } polyline { fill: none; stroke-width: 1.6 }
.c0 { --c: var(--c0) } .c1 { --c: var(--c1) } .c2 { --c: var(--c2) } .c3 { --c: var(--c3) } .c4 { --c: var(--c4) }
.c5 { --c: var(--c5) } polyline { stroke: var(--c) } circle { fill: var(--c) } .legend span { color: var(--c) }
pre { background: var(--soft); border-radius: 8px; padding: 14px; overflow-x: auto; font-size: 13px }
summary { cursor: pointer; color: var(--quiet) } abbr { text-decoration: none; cursor: help }
"""
