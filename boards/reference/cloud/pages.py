# SPDX-License-Identifier: Apache-2.0
"""The maker's public pages: no account, no request, no script, no cookie. The texts stand in pages/."""

from __future__ import annotations

import datetime
import string
from pathlib import Path

HERE = Path(__file__).resolve().parent / "pages"
# What the declaration says too: boards/reference/declaration/ixit.yaml.
FACTS = {
    "model": "HT-1",
    "contact": "security@ht1.example",
    "acknowledgement": "3 working days",
    "status_updates": "every 14 days",
    "support_end": "31 December 2031",
    "support_end_iso": "2031-12-31",
    "first_sale": "1 October 2026",
    "privacy_contact": "privacy@ht1.example",
}
SECURITY_TXT_DAYS = 180  # RFC 9116 advises less than a year
STYLE = "body{max-width:42em;margin:2em auto;font:1em/1.5 sans-serif}table{border-collapse:collapse}td,th{border:1px solid;padding:.3em}"


def html(name: str) -> str | None:
    path = HERE / f"{name or 'index'}.html"
    if path.parent != HERE or path.name not in {held.name for held in HERE.iterdir()}:
        return None
    title, _, body = path.read_text(encoding="utf-8").partition("\n")
    filled = string.Template(body).substitute(FACTS)
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title><style>{STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n<h1>{title}</h1>\n{filled}</body></html>\n'


def security_txt(host: str) -> str:
    midnight = datetime.datetime.now(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    expires = (midnight + datetime.timedelta(days=SECURITY_TXT_DAYS)).isoformat().replace("+00:00", "Z")
    return (
        f"Contact: mailto:{FACTS['contact']}\n"
        f"Expires: {expires}\n"
        "Preferred-Languages: en\n"
        f"Canonical: https://{host}/.well-known/security.txt\n"
        "Policy: https://www.ht1.example/vulnerability-policy\n"
    )
