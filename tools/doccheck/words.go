package main

// words lists the wordings that the prose of this repository avoids. In a
// pattern a space matches any white space, so that a line break does not hide a
// match. Patterns match whole words and ignore case.
//
// The list is a floor: text that passes can still be hard to read.
var words = []word{
	// Words that few readers use.
	{pattern: `whoever|whosoever|whomever`, instead: `name who: "the caller", "an operator", "any process that"`, example: "whoever reads it"},
	{pattern: `whom`, instead: `name who, or use "that"`, example: "to whom it belongs"},
	{pattern: `anew`, instead: `"again", or say what is repeated ("retried", "rewritten")`, example: "it starts anew"},
	{pattern: `mends?|mended|mending`, instead: `"fix", "repair", "correct"`, example: "a timer mends it"},
	{pattern: `besides?`, instead: `"next to", "in addition to", "also"`, example: "the file beside it"},
	{pattern: `for ever`, instead: `"forever", "permanently", or the limit`, example: "it waits for ever"},
	{pattern: `for good`, instead: `"permanently"`, example: "it is gone for good"},
	{pattern: `once more`, instead: `"again"`, example: "try once more"},
	{pattern: `in vain`, instead: `"without success", "fails"`, example: "the call was in vain"},
	{pattern: `none the less|all the same`, instead: `"still", "nevertheless"`, example: "it runs none the less"},
	{pattern: `that is to say`, instead: `"that is", or drop it`, example: "one, that is to say the first"},
	{pattern: `and the like`, instead: `"and similar X", or list them`, example: "names and the like"},
	{pattern: `or the like`, instead: `"or similar", or list them`, example: "a proxy or the like"},
	{pattern: `of the kind`, instead: `name it: "no such operation"`, example: "nothing of the kind happens"},
	{pattern: `of itself|of themselves`, instead: `"automatically", "on its own"`, example: "npm writes it of itself"},
	{pattern: `so many|so much that`, instead: `give the number, or "this many"`, example: "so many in one call"},
	{pattern: `nobody`, instead: `"no one", or name what does not happen`, example: "nobody waits for it"},
	{pattern: `out of reach`, instead: `"unavailable", "unreachable"`, example: "the table is out of reach"},
	{pattern: `(is|are|was|were|be|been|stays|stayed) away`, instead: `"is unavailable"`, example: "while the table is away"},
	{pattern: `at hand`, instead: `"available"`, example: "the list is at hand"},
	{pattern: `thr(ow|ows|ew|own|owing) away`, instead: `"discard"`, example: "the answer is thrown away"},
	{pattern: `handed out|hands out`, instead: `"returns", "assigns"`, example: "a lock is handed out"},
	{pattern: `says so`, instead: `say what it reports: "returns X", "is logged"`, example: "the log says so"},
	{pattern: `taken for|takes? it for`, instead: `"treated as"`, example: "it is taken for transient"},
	{pattern: `comes? again`, instead: `"is retried", "is redelivered"`, example: "the message comes again"},
	{pattern: `(goes|go|went|going|gone) on (with|as|at|until|in|when|where|after|from|to)|goes on`, instead: `"continues"`, example: "the operation goes on"},
	{pattern: `(is|are|was|were|be) thought`, instead: `"treated as", "assumed"`, example: "the worst is thought of it"},
	{pattern: `carried to (its|their|the) end|(runs?|ran|going|goes|brought|bring|brings) to (its|their|the) end`, instead: `"runs to completion"`, example: "a flow is carried to its end"},

	{pattern: `what (became|becomes|has become|comes) of`, instead: `"the result of", "the outcome of"`, example: "it finds out what became of the call"},
	{pattern: `sets? (\w+ )?going`, instead: `"start", "resume", "retry"`, example: "an operator sets it going"},
	{pattern: `makes? (\w+ )?good`, instead: `"catch up on", "replace"`, example: "the timer makes good the missed runs"},

	{pattern: `but for`, instead: `"except"`, example: "all but for the first"},
	{pattern: `nothing but`, instead: `"only"`, example: "it is nothing but a hint"},
	{pattern: `as good as`, instead: `"almost", "equal to"`, example: "it is as good as done"},
	{pattern: `seldom`, instead: `"rarely"`, example: "it happens seldom"},
	{pattern: `lets? go|letting go`, instead: `"release"`, example: "the holder lets go of the lock"},
	{pattern: `st(ands|and|ood) still`, instead: `"is stopped", "does not advance"`, example: "the clock stands still"},
	{pattern: `(is|are|was|were|be|been) found out`, instead: `"is detected"`, example: "the fault is found out"},
	{pattern: `a person`, instead: `"an operator", "a reader", "someone"`, example: "it waits for a person"},

	// Verbs with a standard term.
	{pattern: `tells|told|telling`, instead: `"reports", "returns", "notifies", "logs"`, example: "it tells the caller"},
	{pattern: `hears?|heard`, instead: `"receive", "observe"`, example: "the sender has heard of it"},
	{pattern: `owes|owed|owing`, instead: `"pending", "not yet sent"`, example: "the notices it owes"},
	{pattern: `(asked|asking) for`, instead: `"requested", "reads", "queries"`, example: "what was asked for"},
	{pattern: `puts? off|putting off`, instead: `"defer", "postpone"`, example: "the limiter puts off the call"},
	{pattern: `rehears(e|es|ed|al|als|ing)`, instead: `"dry run"`, example: "a rehearsal of the flow"},
	{pattern: `refusals?`, instead: `"rejection", "rejected request"`, example: "a page of refusals"},
	{pattern: `verdicts?`, instead: `"decision"`, example: "the verdict is kept"},

	// Riddles.
	{pattern: `(\w+ )?(is|are|was|were) no [a-z]+`, unless: `^there |no (longer|more|less|fewer|later|earlier|bigger|larger|smaller|longer|one|such|different|better|worse)\b`, instead: `"is not a X", or "there is no X"`, example: "an answer is no failure"},
	{pattern: `(What|Who) (.+?)[.;:!?|]`, place: sentenceStart, unless: `[?:|]$`, caseful: true, instead: `begin with the subject: not "What is no X is …" but "X that …"`, example: "What is late is dropped."},

	{pattern: `(Nor|Never|Neither|Only then|Not until) (is|are|was|were|does|do|did|has|have|can|may|will) `, place: sentenceStart, caseful: true, instead: `begin with the subject`, example: "Nor is a copy made."},

	// Metaphors in place of the field's words.
	{pattern: `ledgers?`, instead: `"rate limiter"`, example: "the ledger of a quota"},
	{pattern: `shelf|shelves`, instead: `"cache"`, example: "a job on the shelf"},
	{pattern: `boards?`, instead: `"cache"`, example: "the board of a vault"},
	{pattern: `([\w]+ )?guards?`, unless: `^resource `, instead: `"evaluator", "guardrails", "check", "protects from"`, example: "the guard of a rule"},
	{pattern: `books?`, instead: `"registry"`, example: "the book of flows"},
	{pattern: `culprits?`, instead: `"cause"`, example: "the culprit of a panic"},

	// Doc comments begin with the name and a plain verb.
	{pattern: `gives?`, place: docVerb, instead: `"returns"`, example: "gives the next page."},
	{pattern: `says?`, place: docVerb, instead: `"reports", "returns", "holds"`, example: "says whether it is open."},
	{pattern: `(is|are) (what|whether|who)`, place: docVerb, instead: `"reports whether", "holds", "is the X that"`, example: "is what was seen last."},
	{pattern: `(is|are) told`, place: docVerb, instead: `"receives", "records"`, example: "is told of each call."},

	// Names.
	{pattern: `longest|most|fewest|least`, place: limitName, instead: `"max…" or "min…"`, example: "longestName"},
	{pattern: `Ledger|Shelf|Board|Guard|Book|Verdict|Refusals?|Rehearsals?|Letters?|Culprit|Owed|Owes|Owing|Told|Tells?|Anew|Mends?|Nobody|Beside|Whoever|Rehears(e|es|ed|ing)`, place: namePart, instead: `the term of docs/glossary.md`, example: "newLedger"},
}
