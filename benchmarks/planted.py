"""The bugs to plant: each takes one defence away, and names the tests that must notice."""

from dataclasses import dataclass

__all__ = ["BUGS", "Bug"]

_CORE = "gatewright/core"
_SERVICES = "gatewright/services"
_APPROVAL = f"{_CORE}/approval.py"
_STANDING = f"{_CORE}/standing.py"
_GOVERNED = f"{_CORE}/governed.py"
_GENERATIONS = f"{_SERVICES}/generations.py"
_DEPLOYMENT = f"{_SERVICES}/deployment.py"
_RELEASES = f"{_SERVICES}/releases.py"
_RECORDS = f"{_SERVICES}/release_records.py"
_CONTENT = f"{_SERVICES}/model_formats/content.py"
_YAML = f"{_CORE}/strict_yaml.py"
_ROLLBACK_PROOF = f"{_CORE}/rollback_proof.py"
_ATTESTATION = f"{_CORE}/attestation.py"
_PROJECT = f"{_SERVICES}/project_files.py"
_ADMISSION = f"{_SERVICES}/targets/admission.py"

_APPROVALS = ("tests/core/test_approval.py", "tests/attacks/test_approvals.py")
_ROLLBACKS = ("tests/attacks/test_rollbacks.py",)
_ROLLED_BACK = ("tests/services/test_rollbacks.py",)
_CHAINS = ("tests/services/test_generations.py",)
_CHANNELS = ("tests/services/test_deployment.py", "tests/faults/test_interleavings.py", "tests/faults/test_damage.py")
_VERIFIED = ("tests/services/test_release_verification.py", "tests/services/test_releases.py")
_STORES = ("tests/services/test_blobs.py", "tests/services/test_store_contract.py")
_STRICT = ("tests/core/test_strict_yaml.py",)
_OWNERS = ("tests/attacks/test_governance.py", "tests/core/test_governed.py")
_SEALS = ("tests/attacks/test_seals.py",)
_MODELS = ("tests/attacks/test_models.py", "tests/services/test_registry.py")
_PATHS = ("tests/services/test_project_files.py",)
_CALLERS = ("tests/services/targets/test_admission.py",)
_ATTESTED = ("tests/core/test_attestation_break_glass.py", "tests/services/test_late_attestation.py")
_OUTBOX = ("tests/services/test_outbox.py",)
_EVERY_CALL = ("tests/faults/test_every_call.py",)


@dataclass(frozen=True)
class Bug:
    """In ``file``, ``old`` (which stands there once) becomes ``new``; one of ``tests`` must fail then."""

    area: str
    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def _never(area: str, name: str, file: str, condition: str, tests: tuple[str, ...]) -> Bug:
    """The check is never true."""
    return Bug(area, name, file, f"if {condition}:", f"if False and ({condition}):", tests)


BUGS = (
    _never("approval", "an answer after the window", _APPROVAL, "not at <= request.expires_at", _APPROVALS),
    _never("approval", "the author approves", _APPROVAL, "claim.principal == request.author", _APPROVALS),
    _never("approval", "no role is asked", _STANDING, "role is None", _APPROVALS),
    _never("approval", "one person answers twice", _APPROVAL,
           "any(approval.principal == claim.principal for approval in earlier)", _APPROVALS),
    _never("approval", "somebody who left", _STANDING, "not person.active(at.date())", _APPROVALS),
    _never("approval", "a statement about something else", _APPROVAL, "other", _APPROVALS),
    Bug("approval", "only the pinned roster is asked", _APPROVAL,
        "who = (claim.principal, roles, rosters)", "who = (claim.principal, roles, rosters[:1])", _APPROVALS),
    Bug("approval", "a revoked key", f"{_CORE}/roster.py", "(self.revoked is None or at < self.revoked)", "True",
        _APPROVALS),
    Bug("approval", "a nonce that is not compared", _APPROVAL,
        "(said.evidence_root, said.nonce) != (request.evidence_root, request.nonce)",
        "said.evidence_root != request.evidence_root", _APPROVALS),
    Bug("approval", "evidence that is not compared", _APPROVAL,
        "(said.evidence_root, said.nonce) != (request.evidence_root, request.nonce)",
        "said.nonce != request.nonce", _APPROVALS),
    _never("approval", "less assurance than asked", _APPROVAL,
           "not at_least(claim.assurance, request.tier.assurance)", _APPROVALS),
    Bug("approval", "a signature made for another purpose", _APPROVAL,
        "namespace=APPROVAL, at=at", "namespace=GATEWAY_STAMP, at=at", _APPROVALS),
    _never("approval", "a stamp for another pause", _APPROVAL,
           "pause is None or (said.run_id, said.pause_key) != (pause.run_id, pause.key)", _APPROVALS),
    _never("approval", "a rejected request is promoted", _APPROVAL,
           'any(approval.decision == "reject" for approval in ours)', _APPROVALS),
    _never("approval", "fewer people than the tier asks", _APPROVAL,
           "len({approval.principal for approval in ours}) < request.tier.approvals", _APPROVALS),
    Bug("approval", "approvals of other requests count", _APPROVAL,
        "if approval.request == request.digest", "if approval.request", _APPROVALS),
    Bug("token", "a body in two forms", f"{_CORE}/tokens.py", "found.to_bytes() == self.body", "True", _APPROVALS),
    Bug("ledger", "links are not compared", _GENERATIONS,
        "link.generation.previous_sha256 != (links[-1].sha256 if links else FIRST_PREVIOUS)", "False", _CHAINS),
    _never("ledger", "a number that is not its place", _GENERATIONS, "generation.n != n", _CHAINS),
    _never("ledger", "a hole in the numbers", _GENERATIONS, "name is None or int(name[1]) != last + 1", _CHAINS),
    _never("ledger", "a tail that is gone while we look", _GENERATIONS, "last < seen", _CHAINS),
    _never("ledger", "a lost race is called a win", _GENERATIONS,
           'not self._store.create(self.key(generation.n), body, "application/json")', _CHAINS),
    Bug("ledger", "an event is appended twice", _RELEASES,
        "None if any(_same_event(known, entry) for known in entries) else entry", "entry", _VERIFIED + _EVERY_CALL),
    Bug("ledger", "an ended release ends again", _RELEASES,
        "None if current is None or current.final else entry", "entry", _VERIFIED),
    Bug("store", "create writes over what is there", f"{_SERVICES}/store.py", 'IfNoneMatch="*",', "", _STORES),
    Bug("store", "bytes are not hashed on reading", f"{_SERVICES}/blobs.py",
        "return len(body) == ref.size and sha256_hex(body) == ref.sha256", "return True", _STORES),
    Bug("store", "the local copy is not hashed", f"{_SERVICES}/blobs.py",
        'hashlib.file_digest(file, "sha256").hexdigest() == ref.sha256', "True", _STORES),
    Bug("promotion", "the evidence is not hashed again", _RECORDS,
        "found != request.evidence_root or candidate", "candidate", _VERIFIED),
    Bug("promotion", "the model is not the approved one", _RECORDS,
        " or candidate.artifact.sha256 != request.model_sha256", "", _VERIFIED),
    _never("promotion", "a champion that was replaced at the opening", _DEPLOYMENT,
           "moved and not any(entry.operation == operation for _, entry in history)",
           ("tests/services/test_promotion.py",)),
    _never("promotion", "records are not compared", _RECORDS,
           "self._evidence.digest(name, opening.release_id) != record.digest", _VERIFIED),
    _never("promotion", "the ledger is not asked", _RECORDS, "missing", _VERIFIED),
    Bug("promotion", "blobs are not read again", _RECORDS, "            self._blobs.get(ref)", "            pass",
        _VERIFIED),
    Bug("promotion", "the quorum is not proven again", f"{_SERVICES}/promotion.py",
        "return quorum(given, request, rosters, signatures, at=at)", "return given",
        ("tests/services/test_promotion.py",)),
    Bug("promotion", "whether it has ended is not asked", f"{_SERVICES}/promotion.py",
        "check=lambda: releases.must_be_open(opening),", "", ("tests/faults/test_damage.py",)),
    Bug("promotion", "a failed release is closed before its move is settled", f"{_SERVICES}/promotion.py",
        "served = deployment.settle(model, release_id, expected=opening.channel_generation, reason=note)",
        "pass", _EVERY_CALL),
    Bug("channel", "the head is not compared", f"{_SERVICES}/channel_store.py", "expected=expected).n",
        "expected=len(self.history(model, channel))).n", ("tests/services/test_channel_store.py", *_CHANNELS)),
    Bug("channel", "confirmed without the target", _DEPLOYMENT,
        "self._target.wait_until_serving(entry.model_sha256, timeout_seconds=timeout_seconds)", "pass", _CHANNELS),
    Bug("channel", "a failed move stays", _DEPLOYMENT,
        "                self.put_back(model, intent.operation, str(error))\n", "", _CHANNELS),
    Bug("channel", "a late write is not shut out", _DEPLOYMENT, "if not (pending or number == expected) or",
        "if not pending or", _EVERY_CALL),
    Bug("channel", "a rollback is noted twice", f"{_SERVICES}/rollbacks.py",
        "None if any(_noted(served, one) for one in known) else entry", "entry", _EVERY_CALL),
    _never("channel", "a rollback to an exchanged record", f"{_SERVICES}/rollbacks.py",
           "candidate.artifact.sha256 != earlier.model_sha256", _CHANNELS),
    _never("rollback", "a statement about another move", _ROLLBACK_PROOF, "other", _ROLLBACKS),
    _never("rollback", "a statement that holds for a day", _ROLLBACK_PROOF, "said.expires != said.issued + LIFETIME",
           _ROLLBACKS),
    _never("rollback", "an order of yesterday", _ROLLBACK_PROOF, "not at <= until", _ROLLBACKS),
    _never("rollback", "an order from the future", _ROLLBACK_PROOF, "not since <= at + CLOCK_SKEW", _ROLLBACKS),
    _never("rollback", "a stamp for another model or channel", _ROLLBACK_PROOF,
           "(said.model, said.environment) != (way.model, way.environment)", _ROLLBACKS),
    _never("rollback", "a stamp for another release", _ROLLBACK_PROOF,
           "said.to_release != way.goal.release_id and not (said.to_release is None and way.one_step)", _ROLLBACKS),
    _never("rollback", "a stamp after the channel has moved", _ROLLBACK_PROOF,
           "not way.moved_at <= said.at + CLOCK_SKEW", _ROLLBACKS),
    _never("rollback", "less assurance than the policy asks", _ROLLBACK_PROOF, "not at_least(claim.assurance, asked)",
           _ROLLBACKS),
    _never("rollback", "a record that says another", _ROLLBACK_PROOF,
           'found.model_copy(update={"at": recorded.at}) != recorded', _ROLLBACKS),
    Bug("rollback", "a signature made for another purpose", _ROLLBACK_PROOF, "namespace=ROLLBACK, at=at",
        "namespace=ROLLBACK_STAMP, at=at", _ROLLBACKS),
    _never("rollback", "parameters that differ from the token", f"{_CORE}/rollback_order.py", "other", _ROLLBACKS),
    _never("rollback", "no role is asked", _STANDING, "role is None", _ROLLBACKS),
    _never("rollback", "somebody who left", _STANDING, "not person.active(at.date())", _ROLLBACKS),
    Bug("rollback", "a stamp by any key", _STANDING, 'roster.machine_keys("gateway", at)',
        "tuple(key.key for one in (*roster.machines, *roster.people) for key in one.keys)", _ROLLBACKS),
    _never("rollback", "an order that is spent", f"{_SERVICES}/rollbacks.py",
           'ours[0].action != "rollback" or not goes_on', _ROLLED_BACK),
    _never("rollback", "another order under a recorded name", f"{_SERVICES}/rollback_records.py",
           'found is None or found.model_copy(update={"at": accepted.at}) != accepted', _ROLLED_BACK),
    _never("rollback", "a record that the ledger does not name", f"{_SERVICES}/audit/rollbacks.py",
           '(entry.digests.get("rollback"), entry.assurance) != wanted', ("tests/services/test_audit.py",)),
    _never("rollback", "a move by another than the record says", f"{_SERVICES}/audit/rollbacks.py",
           "said != (move.actor, move.reason, move.release_id, move.model_sha256)", ("tests/services/test_audit.py",)),
    _never("rollback", "no proof where the policy asks for one", f"{_SERVICES}/audit/rollbacks.py",
           'asked != "declared"', ("tests/services/test_audit.py",)),
    _never("seals", "a forged seal", f"{_SERVICES}/channel_seals.py",
           "self.verifier.signer(message, _blob(entry.seal), namespace=SEAL, keys=keys) is None", _SEALS),
    _never("seals", "a move without a seal", f"{_SERVICES}/channel_seals.py", "entry.seal is None", _SEALS),
    _never("seals", "a move with an earlier date", f"{_SERVICES}/channel_seals.py",
           "not follows_in_time(entry, before)", _SEALS),
    _never("governance", "signed by nobody who owns it", _GOVERNED,
           "power is None or principal not in power.control.owners", _OWNERS),
    _never("governance", "fewer owners than the quorum", _GOVERNED, "len(signers) < power.control.quorum", _OWNERS),
    _never("governance", "one owner signs twice", _GOVERNED, "len(set(signers)) != len(signers)", _OWNERS),
    _never("governance", "a version number is skipped", _GOVERNED, "version.version != previous.version + 1", _OWNERS),
    _never("governance", "signed for another change", _GOVERNED, "said != wanted", _OWNERS),
    Bug("governance", "terms that were not in force", f"{_SERVICES}/terms.py",
        "pinned not in {version.sha256 for version in found if version}", "False", ("tests/attacks/test_terms.py",)),
    _never("models", "a pickle is let through", _CONTENT, "disguise", _MODELS),
    _never("models", "types that nobody allowed", f"{_SERVICES}/model_formats/skops_model.py", "untrusted", _MODELS),
    _never("models", "an archive of terabytes", _CONTENT,
           "not sum(entry.file_size for entry in entries) <= MAX_UNPACKED_BYTES", _MODELS),
    _never("models", "bytes changed after the probe", f"{_SERVICES}/registry.py", "sha256_hex(body) != ref.sha256",
           _MODELS),
    _never("YAML", "aliases", _YAML, "isinstance(event, yaml.AliasEvent)", _STRICT),
    _never("YAML", "a key that stands twice", _YAML, "key in result", _STRICT),
    _never("YAML", "NaN", _YAML, "isinstance(value, float) and not math.isfinite(value)", _STRICT),
    _never("YAML", "depth", _YAML, "depth > MAX_DEPTH", _STRICT),
    _never("YAML", "numbers that people read otherwise", _YAML,
           "type(value) in (int, float) and not _DECIMAL.fullmatch(node.value)", _STRICT),
    Bug("paths", "a link out of the project", _PROJECT, "os.path.realpath(self.root / named)",
        "os.path.normpath(self.root / named)", _PATHS),
    Bug("paths", "a hidden file of the project", _PROJECT,
        ' and not any(part.startswith(".") for part in path.parts)', "", _PATHS),
    Bug("service", "any token", _ADMISSION,
        ' and hmac.compare_digest(shown.strip().encode("latin-1"), token.encode("ascii"))', "", _CALLERS),
    Bug("service", "outcomes by whoever may ask", f"{_SERVICES}/targets/scoring_app.py",
        "admitting(tokens.labels if tokens else None)", "admitting(tokens.scoring if tokens else None)", _CALLERS),
    Bug("service", "without tokens, by a page in a browser", _ADMISSION,
        '_OTHERS = ("origin", ', "_OTHERS = (", _CALLERS),
    Bug("service", "without tokens, to everybody", _ADMISSION, "if _is_loopback(host):", "if True:", _CALLERS),
    Bug("attestation", "an emergency that nobody signed", _ATTESTATION,
        "break_glass_allows(emergency, view.request, view.policy, rosters, signatures, at=emergency.at)", "pass",
        _ATTESTED),
    Bug("attestation", "approvals planted after a break-glass", f"{_SERVICES}/attestations.py",
        " if passed(statement) else None", "", _ATTESTED),
    Bug("outbox", "written before it is on a list", f"{_SERVICES}/outbox.py",
        "        day = self._days.add(prefix)\n        if not self._store.create(key, body, _JSON):\n"
        "            return False\n",
        "        if not self._store.create(key, body, _JSON):\n            return False\n"
        "        day = self._days.add(prefix)\n", _OUTBOX),
    Bug("outbox", "a day is closed with what is open on it", f"{_SERVICES}/outbox_days.py",
        "                self.add(self._entry(mark))", "                pass", _OUTBOX),
    Bug("outbox", "a sleeper writes on a day that was closed", f"{_SERVICES}/outbox_days.py",
        "while day != self._day(0):", "while False:", _OUTBOX),
    Bug("records", "JSON in two forms", f"{_CORE}/records.py", "canonical_json(json.loads(body)) == body", "True",
        ("tests/fuzz/test_parsers.py", "tests/attacks")),
    Bug("escape", "HTML in evidence", f"{_SERVICES}/reports/escape.py", '"<": "&lt;", ', "",
        ("tests/services/reports",)),
    Bug("escape", "bidirectional text in evidence", f"{_SERVICES}/reports/escape.py",
        'if not unicodedata.category(c).startswith("C")', "", ("tests/services/reports",)),
    Bug("escape", "links of any kind", f"{_SERVICES}/reports/escape.py", "if not _SAFE_LINK.match(address):",
        "if not address:", ("tests/services/reports",)),
)  # fmt: skip
