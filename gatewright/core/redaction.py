"""Cut what looks like a credential out of text that is kept or shown: errors of libraries quote what they were given.

It is the last net, for texts that others wrote. Our own secrets are `SecretStr` and never become text.
"""

import re

__all__ = ["redacted"]

CUT = "***"
_NAMES = r"(?:password|passwd|pwd|passphrase|secret(?:[_-]?access)?(?:[_-]?key)?|api[_-]?key|(?:access|auth)[_-]?token)"
_PATTERNS = (
    (r"-----BEGIN ([A-Z ]*)PRIVATE KEY-----.*?(?:-----END \1PRIVATE KEY-----|\Z)", CUT),
    # A header goes to the end of its line: signatures of AWS have spaces and commas.
    (r"(\b(?:proxy-)?authorization|\bx-amz-security-token|\bset-cookie|\bcookie|\bx-api-key)\b[\"']?\s*[:=][^\r\n]*",
     rf"\1: {CUT}"),
    (r"\b(bearer|basic)\s+[A-Za-z0-9._~+/-]{8,}=*", rf"\1 {CUT}"),
    (r"([a-z][a-z0-9+.-]*://)[^/\s@]*:[^\s@]*@", rf"\1{CUT}@"),
    (rf"([\"']?\b[\w-]*{_NAMES}[\"']?\s*=\s*[\"']?)[^\s\"',;&]+", rf"\1{CUT}"),
    (rf"([\"'][\w-]*{_NAMES}[\"']\s*:\s*[\"'])[^\"']+", rf"\1{CUT}"),
    (r"(\bx-amz-(?:signature|credential)=)[^\s&\"']+", rf"\1{CUT}"),
    (r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", CUT),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), cut) for pattern, cut in _PATTERNS)


def redacted(text: str) -> str:
    """``text`` without headers of authorization, passwords in addresses and assignments, key ids and private keys."""
    for pattern, cut in _COMPILED:
        text = pattern.sub(cut, text)
    return text
