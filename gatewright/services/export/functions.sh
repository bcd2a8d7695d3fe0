set -e
LC_ALL=C TZ=UTC
export LC_ALL TZ
zeros=$(printf '%064d' 0)

# The SHA-256 of what comes in.
digest() { sha256sum | cut -d ' ' -f 1; }

# A plain field of a JSON object in canonical form (RFC 8785): quotes in texts are escaped, so no text looks like a key.
value() { sed -n 's/.*[{,]"'"$1"'":\([^][,{}]*\).*/\1/p' | tr -d '"'; }

# Both must be there and equal; otherwise the step ends here.
same() {
  if [ -n "$2" ] && [ "$2" = "$3" ]; then return 0; fi
  echo "$1: '$2' is not '$3'"
  exit 1
}

# Times as 20260302120000; fractions of a second are dropped.
digits() { printf '%s' "$1" | cut -c 1-19 | tr -d -c 0-9; }
not_after() { [ "$(digits "$1")" -le "$(digits "$2")" ]; }

# Every file has the number of its place and names the SHA-256 of the file before it.
chain() {
  before=$zeros n=0
  for file in "$1"/*.json; do
    n=$((n + 1))
    same "place of $file" "$file" "$1/$(printf '%010d' "$n").json"
    found=$(sed -n 's/^{"n":\([0-9]*\),"nonce":.*,"previous_sha256":"\([0-9a-f]*\)"}$/\1 \2/p' "$file")
    same "link of $file" "$found" "$n $before"
    before=$(digest < "$file")
  done
  echo "$1: $n files, the last is $before"
}

# What is in a link of a chain.
payload() { sed -n 's/^{"n":[0-9]*,"nonce":"[0-9a-f]*","payload":\(.*\),"previous_sha256":"[0-9a-f]*"}$/\1/p' "$1"; }

# A governed document, and what is said of it.
document() { printf '%s' "$(payload "$1" | sed -n 's/^{"actor":.*,"document":\({.*}\),"document_sha256":"[0-9a-f]*","kind":.*/\1/p')"; }
about() { payload "$1" | sed 's/,"document":{.*},"document_sha256":/,"document_sha256":/'; }
owners() { document "$1" | sed -n 's/.*"changed_by":{"owners":\[\([^]]*\)\],"quorum":\([0-9]*\)}.*/\1 \2/p'; }

# Who may sign what from when to when, by a roster: the lines that ssh-keygen wants.
signers() {
  sed 's/{"id":"/\
&/g; s/{"added":"/\
&/g' | awk '
    function field(name,  start, rest) {
      start = index($0, "\"" name "\":\"")
      if (!start) return ""
      rest = substr($0, start + length(name) + 4)
      return substr(rest, 1, index(rest, "\"") - 1)
    }
    function digits(text) { text = substr(text, 1, 19); gsub(/[^0-9]/, "", text); return text }
    function tell(who, namespaces, since, until,  i, after, before) {
      for (i = 1; i <= keys; i++) {
        after = digits(added[i] > since ? added[i] : since)
        before = revoked[i]
        if (before != "" && before !~ /Z$/) continue
        before = digits(before)
        if (until != "" && (before == "" || digits(until) "235959" < before)) before = digits(until) "235959"
        if (before != "" && before <= (length(after) == 8 ? after "000000" : after)) continue
        printf "%s namespaces=\"%s\",valid-after=\"%s\"", who, namespaces, after
        if (before != "") printf ",valid-before=\"%s\"", before
        printf " %s\n", key[i]
      }
    }
    index($0, "{\"id\":\"") == 1 { id = field("id"); joined = field("joined"); keys = 0 }
    index($0, "{\"added\":\"") == 1 { keys++; added[keys] = field("added"); key[keys] = field("key"); revoked[keys] = field("revoked") }
    field("role") == "gateway" { tell("gateway", "gateway-stamp@gatewright,rollback-stamp@gatewright", "", "") }
    field("role") == "pipeline" { tell("pipeline", "channel-seal@gatewright,checkpoint@gatewright", "", "") }
    index($0, "\"roles\":[") { tell(id, "release-approval@gatewright,governed-change@gatewright,waiver@gatewright,break-glass@gatewright,rollback@gatewright", joined, field("left")) }
  '
}

# A signature by somebody, for a purpose, at a time, by a file of signers: `signed SIGNERS WHO PURPOSE TIME FILE SIGNATURE`.
signed() {
  if ssh-keygen -Y verify -f "$1" -I "$2" -n "$3" -Overify-time="$(digits "$4")" -s "$6" < "$5" > /dev/null; then return 0; fi
  echo "$6 is not by $2, for $3, under $1"
  exit 1
}

# The base64 of an armored signature, in one line.
blob() { grep -v '^-----' "$1" | tr -d '\n'; }

# The number of the roster, or the policy, that was in force at a time.
version_at() {
  found=
  for file in "governance/$1"/*.json; do
    if not_after "$(about "$file" | value at)" "$2"; then found=$((${found:-0} + 1)); else break; fi
  done
  same "the $1 in force at $2" "${found:+known}" known
  echo "$found"
}
roster_at() { version_at roster "$1"; }

# The number of the roster that has a digest.
roster_of() {
  for file in governance/roster/*.json; do
    if [ "$(document "$file" | digest)" = "$1" ]; then expr "$file" : '.*/0*\([0-9]*\)\.json'; return 0; fi
  done
  echo "no roster has the digest $1"
  exit 1
}

# The role of somebody in a roster.
holds_role() {
  sed 's/{"id":"/\
&/g' | grep -F "{\"id\":\"$1\"," | sed -n 's/.*"roles":\[\([^]]*\)\].*/,\1,/p' | grep -qF ",\"$2\","
}

# The files of the ledger with an event of this release, of this kind, with this text in its digests.
events() {
  awk -v kind="},\"kind\":\"$1\",\"note\":" -v release=",\"release_id\":\"$release\"}," -v text="$2" '
    index($0, kind) && index($0, release) && index($0, text) { print FILENAME }' ledger/*.json
}

# Of a kind that happens once: the event is there, it is the only one, and it names this digest.
once() {
  same "the ledger on what was $1" "$(events "$1" "\"$2\":\"$3\"")" "$(events "$1" '')"
}

# A governed document and its chain: what it says, who signed it, by whose authority.
governed() {
  previous= previous_digest=null n=0
  for file in "governance/$1"/*.json; do
    n=$((n + 1))
    is=$(document "$file" | digest)
    same "document of $file" "$is" "$(about "$file" | value document_sha256)"
    power=${previous:+$(owners "$previous")} by=$previous
    if [ -z "$power" ]; then power=$(owners "$file") by=$file; fi
    count=0
    if [ -n "$power" ]; then
      if [ "$1" = roster ]; then number=$(document "$by" | digest); else number=$(about "$file" | value roster_sha256); fi
      number=$(roster_of "$number")
      for statement in "governance/signatures/$1-$n"-*.json; do
        who=$(value principal < "$statement")
        same "owner $who" "$(printf '%s' ",${power% *}," | grep -cF ",\"$who\",")" 1
        same "change in $statement" "$(value document_sha256 < "$statement")" "$is"
        same "change in $statement" "$(value previous_sha256 < "$statement")" "$previous_digest"
        same "name of $statement" "$statement" "governance/signatures/$1-$n-$who.json"
        signed "allowed_signers-$number" "$who" governed-change@gatewright "$(about "$file" | value at)" "$statement" "${statement%.json}.sig"
        count=$((count + 1))
      done
      if [ "$count" -lt "${power##* }" ]; then echo "$file: $count of ${power##* } owners have signed"; exit 1; fi
    fi
    echo "$1 $n: $is, signed by $count"
    previous=$file previous_digest=$is
  done
}

# What a person signed repeats what was asked. Sets `statement`.
bound() {
  statement=approvals/$1-$2
  for name in champion_sha256 environment evidence_root ledger_entries ledger_head model model_sha256 nonce \
    policy_sha256 policy_version release_id roster_sha256 roster_version; do
    same "$name of $statement" "$(value "$name" < "$statement.json")" "$(value "$name" < evidence/request.json)"
  done
}

# An approval that a person has signed: about exactly this request, in time, by somebody who may, and in the ledger.
approved() {
  bound "$1" "$2"
  same "end of the window" "$(value expires < "$statement.json")" "$(value expires_at < evidence/request.json)"
  same "meaning" "$(value meaning < "$statement.json")" approve
  recorded "$1" "$2" signed
  signed allowed_signers "$2" release-approval@gatewright "$at" "$statement.json" "$statement.sig"
  signed "allowed_signers-$(roster_at "$at")" "$2" release-approval@gatewright "$at" "$statement.json" "$statement.sig"
  echo "$2 ($role) signed on $at"
}

# An approval that the identity gateway has stamped for somebody who was logged in.
stamped() {
  statement=approvals/$1-$2
  for name in evidence_root nonce; do
    same "$name of $statement" "$(value "$name" < "$statement.json")" "$(value "$name" < evidence/request.json)"
  done
  same "decision" "$(value decision < "$statement.json")" approve
  recorded "$1" "$2" gateway
  signed allowed_signers gateway gateway-stamp@gatewright "$at" "$statement.json" "$statement.sig"
  signed "allowed_signers-$(roster_at "$at")" gateway gateway-stamp@gatewright "$at" "$statement.json" "$statement.sig"
  echo "$2 ($role) was logged in at the gateway on $at"
}

# A name that was typed: nothing shows who typed it.
declared() {
  recorded "$1" "$2" declared
  echo "$2 ($role) was typed into a form on $at: not proven"
}

# What the run recorded of an approval, against the request, the roster and the ledger. Sets `at` and `role`.
recorded() {
  record=$(sed -n 's/^{"approval":\({.*}\),\("emergency":null,\)\{0,1\}"refusal":null}$/\1/p' "evidence/answer-$1.json")
  at=$(printf '%s' "$record" | value at)
  role=$(printf '%s' "$record" | value role)
  same "approver of answer $1" "$(printf '%s' "$record" | value principal)" "$2"
  same "decision of answer $1" "$(printf '%s' "$record" | value decision)" approve
  same "request of answer $1" "$(printf '%s' "$record" | value request)" "$(digest < evidence/request.json)"
  same "assurance of answer $1" "$(printf '%s' "$record" | value assurance)" "$3"
  case "$(value assurance < evidence/request.json) $3" in
    declared\ * | "gateway gateway" | "gateway signed" | "signed signed") ;;
    *) echo "answer $1 is only $3"; exit 1 ;;
  esac
  if [ "$3" != declared ]; then
    same "approver" "$(value principal < "$statement.json")" "$2"
    same "signature of answer $1" "$(printf '%s' "$record" | sed -n 's/.*"proof":"[^".]*\.\([^"]*\)".*/\1/p')" "$(blob "$statement.sig")"
  fi
  not_after "$at" "$(value expires_at < evidence/request.json)"
  asked=$(sed -n 's/.*"tier":{.*"roles":\[\([^]]*\)\].*/,\1,/p' evidence/request.json)
  same "role $role is asked for" "$(printf '%s' "$asked" | grep -cF ",\"$role\",")" 1
  holds_role "$2" "$role" < roster.json
  if [ "$2" = "$(value author < evidence/request.json)" ]; then echo "$2 is the author"; exit 1; fi
  same "the ledger on answer $1" "$(events approved "\"approval\":\"$(printf '%s' "$record" | digest)\"" | grep -c .)" 1
}

# In an emergency one person lets a release go on alone, for a time.
emergency() {
  bound "$1" "$2"
  record=$(sed -n 's/^{"approval":null,"emergency":\({.*}\),"refusal":null}$/\1/p' "evidence/answer-$1.json")
  at=$(printf '%s' "$record" | value at)
  role=$(printf '%s' "$record" | value role)
  until=$(value expires < "$statement.json")
  same "principal of $statement" "$(value principal < "$statement.json")" "$2"
  same "signature of answer $1" "$(printf '%s' "$record" | sed -n 's/.*"token":"[^".]*\.\([^"]*\)".*/\1/p')" "$(blob "$statement.sig")"
  not_after "$at" "$until"
  not_after "$at" "$(value expires_at < evidence/request.json)"
  may=$(sed -n 's/.*"break_glass":{[^{}]*"roles":\[\([^]]*\)\].*/,\1,/p' policy.json)
  same "role $role may break the glass" "$(printf '%s' "$may" | grep -cF ",\"$role\",")" 1
  holds_role "$2" "$role" < roster.json
  if [ "$2" = "$(value author < evidence/request.json)" ]; then echo "$2 is the author"; exit 1; fi
  same "the ledger on answer $1" "$(events break_glass "\"emergency\":\"$(printf '%s' "$record" | digest)\"" | grep -c .)" 1
  signed allowed_signers "$2" break-glass@gatewright "$at" "$statement.json" "$statement.sig"
  signed "allowed_signers-$(roster_at "$at")" "$2" break-glass@gatewright "$at" "$statement.json" "$statement.sig"
  nobody_rejected
  echo "$2 ($role) broke the glass on $at, until $until"
}

nobody_rejected() {
  if grep -lF '","decision":"reject","' evidence/answer-*.json; then echo 'rejected'; exit 1; fi
}

# A move of a channel: sealed by the key that the pipeline had then, over its place in the chain.
sealed() {
  move=$(payload "$1")
  n=$(expr "$1" : '.*/0*\([0-9]*\)\.json')
  entry=$(printf '%s' "$move" | sed -n 's/,"seal":"[^"]*"}$/}/p')
  message=$(printf '{"channel":"%s","entry":%s,"kind":"channel-seal","model":"%s","n":%s}' "$channel" "$entry" "$model_name" "$n")
  same "message of seal $n" "$message" "$(cat "seals/$n.json")"
  same "seal $n" "$(printf '%s' "$move" | value seal)" "$(blob "seals/$n.sig")"
  at=$(printf '%s' "$move" | value at)
  signed "allowed_signers-$(roster_at "$at")" pipeline channel-seal@gatewright "$at" "seals/$n.json" "seals/$n.sig"
}

# A reason in full, commas and all, without spaces around it.
why() { sed 's/.*[{,]"reason":"//; s/","[a-z_0-9]*":.*//; s/^ *//; s/ *$//'; }

# A rollback of the channel: by somebody who may, over exactly this move, and in the ledger.
taken_back() {
  move=$(payload "channel/$(printf '%010d' "$1").json")
  confirmed=$(payload "channel/$(printf '%010d' $(($1 + 1))).json")
  at=$(printf '%s' "$move" | value at)
  role=$(value role < "rollbacks/$1.json")
  for pair in principal.actor operation.operation to_release.release_id to_model_sha256.model_sha256; do
    same "${pair%.*} of rollback $1" "$(value "${pair%.*}" < "rollbacks/$1.json")" "$(printf '%s' "$move" | value "${pair#*.}")"
  done
  same "reason of rollback $1" "$(why < "rollbacks/$1.json")" "$(printf '%s' "$move" | why)"
  same "principal of rollback $1" "$(value principal < "rollbacks/$1.json")" "$2"
  same "assurance of rollback $1" "$(value assurance < "rollbacks/$1.json")" "$3"
  same "the ledger on rollback $1" "$(release=$(value to_release < "rollbacks/$1.json"); events rolled_back \
    "\"move\":\"$(printf '%s' "$confirmed" | digest)\",\"rollback\":\"$(digest < "rollbacks/$1.json")\"" | grep -c .)" 1
  policy=governance/policy/$(printf '%010d' "$(version_at policy "$at")").json
  roster=$(roster_at "$at")
  allowed "$policy" "$role" "$3"
  document "governance/roster/$(printf '%010d' "$roster").json" | holds_role "$2" "$role"
  statement=rollbacks/$1-$2
  case $3 in
    declared) echo "$2 ($role) was typed into a form on $at: not proven"; return 0 ;;
    signed) purpose=rollback who=$2 said="signed on $at" ;;
    gateway) purpose=rollback-stamp who=gateway said="was logged in at the gateway on $at" ;;
  esac
  same "environment of $statement" "$(value environment < "$statement.json")" "$channel"
  same "model of $statement" "$(value model < "$statement.json")" "$model_name"
  same "reason of $statement" "$(why < "$statement.json")" "$(why < "rollbacks/$1.json")"
  for name in operation principal; do
    same "$name of $statement" "$(value "$name" < "$statement.json")" "$(value "$name" < "rollbacks/$1.json")"
  done
  if [ "$3" = signed ]; then
    for name in to_release to_model_sha256; do
      same "$name of $statement" "$(value "$name" < "$statement.json")" "$(value "$name" < "rollbacks/$1.json")"
    done
    same "place of $statement" "$(($(value from_generation < "$statement.json") + 1))" "$1"
    same "policy of $statement" "$(value policy_sha256 < "$statement.json")" "$(document "$policy" | digest)"
    not_after "$at" "$(value expires < "$statement.json")"
  fi
  same "signature of rollback $1" "$(sed -n 's/.*"proof":"[^".]*\.\([^"]*\)".*/\1/p' "rollbacks/$1.json")" "$(blob "$statement.sig")"
  signed "allowed_signers-$roster" "$who" "$purpose@gatewright" "$at" "$statement.json" "$statement.sig"
  echo "$2 ($role) $said"
}

# Whether a policy lets a role take a model back, known this surely: by its own words, or else by the roles of its tiers.
allowed() {
  asked=$(document "$1" | sed -n 's/.*"rollback":{"assurance":"\([a-z]*\)","roles":\[\([^]]*\)\]}.*/\1 ,\2,/p')
  if [ -z "$asked" ]; then
    asked="declared ,$(document "$1" | sed 's/{"approvals":/\
&/g' | grep '^{"approvals":' | sed 's/,"window_hours":.*//; s/.*"roles":\[\([^]]*\)\].*/\1/' | tr '\n' ','),"
  fi
  if ! printf '%s' "${asked#* }" | grep -qF ",\"$2\","; then echo "$2 may not take a model back by $1"; exit 1; fi
  case "${asked%% *} $3" in
    declared\ * | "gateway gateway" | "gateway signed" | "signed signed") ;;
    *) echo "a $3 name is not enough for $1"; exit 1 ;;
  esac
}

# A checkpoint, kept away from the store: the chain is still the one that it was signed for.
checkpoint() {
  at=$(value at < "$1")
  signed "allowed_signers-$(roster_at "$at")" pipeline checkpoint@gatewright "$at" "$1" "$1.sig"
  case $(value log < "$1") in
    "ledger/$model_name") place=ledger ;;
    "channels/$model_name/$channel") place=channel ;;
    "governance/policy/$model_name") place=governance/policy ;;
    governance/roster/roster) place=governance/roster ;;
    *) echo "$1 is about another chain"; exit 1 ;;
  esac
  size=$(value size < "$1")
  same "entry $size of $place" "$(digest < "$place/$(printf '%010d' "$size").json")" "$(value head < "$1")"
  echo "$place: as it was on $at with $size entries"
}

# ---- The steps ----

# Every file is listed, no other is there, and all have the digests of the list.
files() {
  sha256sum -c SHA256SUMS > /dev/null
  same 'list of files' "$(find . -type f | sed 's/^\.\///' | grep -vx SHA256SUMS | sort)" "$(cut -c 67- SHA256SUMS | sort)"
  echo "$(grep -c . SHA256SUMS) files"
}

# The lines for ssh-keygen are those that the rosters give.
signers_match() {
  signers < roster.json | diff - allowed_signers
  n=0
  for file in governance/roster/*.json; do
    n=$((n + 1))
    document "$file" | signers | diff - "allowed_signers-$n"
  done
  echo "$((n + 1)) files of signers are what the rosters say"
}

# The policy or roster of this release was in force between its opening and the question to people.
pinned() {
  is=$(digest < "$1.json")
  same "$1 when it opened" "$is" "$(sed -n 's/.*"'"$1"'":{"media_type":"[^"]*","sha256":"\([0-9a-f]*\)".*/\1/p' evidence/opening.json)"
  same "$1 when people were asked" "$is" "$(value "$1_sha256" < evidence/request.json)"
  n=0 number=
  for file in "governance/$1"/*.json; do
    n=$((n + 1))
    since=$(about "$file" | value at)
    if [ -n "$number" ]; then not_after "$(value opened_at < evidence/opening.json)" "$since"; break; fi
    if [ "$(document "$file" | digest)" = "$is" ]; then
      number=$n
      not_after "$since" "$(value asked_at < evidence/request.json)"
    fi
  done
  same "$1 in force" "${number:+known}" known
  echo "$1 $number was in force"
}

# The root of the evidence, computed again from the records named here.
evidence() {
  model=$(sed -n 's/^{"artifact":{"media_type":"[^"]*","sha256":"\([0-9a-f]*\)".*/\1/p' evidence/candidate.json)
  records=
  for name; do records="$records,\"$name\":\"$(digest < "evidence/$name.json")\""; done
  root=$(printf '{"model_sha256":"%s","records":{%s},"release_id":"%s"}' "$model" "${records#,}" "$release" | digest)
  same "root" "$root" "$(digest < evidence/root.json)"
  same "model" "$(cut -d ' ' -f 1 model.sha256)" "$model"
  echo "model $model"
  echo "evidence $root"
}

# The ledger has this opening and this evidence.
in_ledger() {
  once opened opening "$(digest < evidence/opening.json)"
  once decided evidence "$(digest < evidence/root.json)"
  echo 'opened and decided'
}

# People were asked about exactly this, and the request names the ledger as it was then.
asked() {
  once waiting request "$(digest < evidence/request.json)"
  same 'release' "$(value release_id < evidence/request.json)" "$release"
  same 'evidence' "$(value evidence_root < evidence/request.json)" "$(digest < evidence/root.json)"
  same 'model' "$(value model_sha256 < evidence/request.json)" "$(cut -d ' ' -f 1 model.sha256)"
  entry=ledger/$(printf '%010d' "$(value ledger_entries < evidence/request.json)").json
  same 'ledger when it was asked' "$(value ledger_head < evidence/request.json)" "$(digest < "$entry")"
  echo "asked on $(value asked_at < evidence/request.json), until $(value expires_at < evidence/request.json)"
}

# The decision is by the pinned policy, and the people who were asked are those whom it names.
decided() {
  same 'policy of the decision' "$(value policy_sha256 < evidence/decision.json)" "$(digest < policy.json)"
  outcome=$(value outcome < evidence/decision.json)
  case $outcome in promote | review) ;; *) echo "it was decided: $outcome"; exit 1 ;; esac
  tier=$(value tier < evidence/decision.json)
  same 'tier' "$tier" "$(value name < evidence/request.json)"
  named=$(sed 's/{"approvals":/\
&/g' policy.json | grep '^{"approvals":' | sed 's/,"window_hours":.*//' | grep -F "\"name\":\"$tier\"")
  given=$(sed -n 's/.*"tier":{\(.*\),"window_hours":.*/{\1/p' evidence/request.json)
  for name in approvals assurance risk; do
    same "$name of the tier" "$(printf '%s' "$given" | value "$name")" "$(printf '%s' "$named" | value "$name")"
  done
  same 'roles of the tier' "$(printf '%s' "$given" | sed -n 's/.*"roles":\[\([^]]*\)\].*/\1/p')" \
    "$(printf '%s' "$named" | sed -n 's/.*"roles":\[\([^]]*\)\].*/\1/p')"
  echo "$outcome: tier $tier, assurance $(printf '%s' "$given" | value assurance)"
}

# Enough distinct people, and nobody who rejected.
quorum() {
  if [ $# -gt 0 ]; then nobody_rejected; fi
  wanted=$(value approvals < evidence/request.json)
  people=$(printf '%s\n' "$@" | sort -u | grep -c .) || true
  if [ "$people" -lt "$wanted" ]; then echo "$people of $wanted people"; exit 1; fi
  echo "$people of $wanted people asked for"
}

# A waiver of a rule: signed by somebody whose role may waive, named by the decision, not expired when it was decided.
waivers() {
  count=0
  may=$(sed -n 's/.*"waivers":{[^{}]*"roles":\[\([^]]*\)\].*/,\1,/p' policy.json)
  at=$(payload "$(events decided '')" | value at)
  for statement in waivers/*.json; do
    count=$((count + 1))
    who=$(value principal < "$statement")
    role=$(sed 's/{"assurance":/\
&/g' evidence/decision.json | grep -F ".$(blob "${statement%.json}.sig")\"" | value role)
    same "role $role may waive" "$(printf '%s' "$may" | grep -cF ",\"$role\",")" 1
    holds_role "$who" "$role" < roster.json
    same 'model of the waiver' "$(value model < "$statement")" "$model_name"
    not_after "$at" "$(value expires < "$statement")"
    signed allowed_signers "$who" waiver@gatewright "$at" "$statement" "${statement%.json}.sig"
    echo "$(value rule < "$statement") was waived by $who until $(value expires < "$statement")"
  done
  same 'waivers of the decision' "$(sed 's/"token":"/\
&/g' evidence/decision.json | grep -c '^"token":"')" "$count"
}

# The channel moved once for this release: to the model that was asked about, over the champion it was compared with.
promoted() {
  n=$(($(value channel_generation < evidence/opening.json) + 1))
  for action in deploy confirm; do
    file=channel/$(printf '%010d' "$n").json
    same "move $n" "$(awk -v text="{\"action\":\"$action\"," -v operation=",\"operation\":\"$release\"," '
      index($0, text) && index($0, operation) { print FILENAME }' channel/*.json)" "$file"
    same "release of move $n" "$(payload "$file" | value release_id)" "$release"
    same "model of move $n" "$(payload "$file" | value model_sha256)" "$(value model_sha256 < evidence/request.json)"
    if [ "$action" = deploy ]; then not_after "$(payload "$file" | value at)" "$(value expires_at < evidence/request.json)"; fi
    n=$((n + 1))
  done
  events deployed '' | grep -q .
  echo "confirmed on $(payload "$file" | value at)"
}

# What served from when on.
served() {
  for file in channel/*.json; do
    case $(payload "$file" | value action) in
      confirm | revert) echo "$(payload "$file" | value at) $(payload "$file" | value release_id) $(payload "$file" | value model_sha256)" ;;
    esac
  done
}

# The model, the data and the reports that the records name are there, each under its digest.
blobs() {
  names=$(for name; do cat "evidence/$name.json"; done | sed 's/"media_type":"[^"]*","sha256":"/\
&/g' | sed -n 's/^"media_type":"[^"]*","sha256":"\([0-9a-f]*\)","size":.*/\1/p' | sort -u)
  for name in $names; do same "blob $name" "$(digest < "blobs/$name")" "$name"; done
  echo "$(printf '%s\n' "$names" | grep -c .) files"
}
