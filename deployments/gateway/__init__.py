"""The identity gateway: Prefect's own server behind logins, an allow-list of routes, and a stamp on each answer.

``people`` and ``logins`` say who calls, ``routes`` what a person may do, ``starts`` and ``stamp`` put the caller's
name where a typed one stood, ``documents`` shows what releases leave behind, ``app`` ties them together. Whoever must
not be able to approve in somebody else's name must not read the gateway's key, and reaches Prefect only through it.
"""
