package events

import (
	"bytes"
	"slices"
	"strings"
	"sync"
)

// Outcome says how a call ended for the person who called, whatever words JustCall
// used for it.
type Outcome string

// The outcomes; "" while a call is under way, and for anything but a call. Those of
// an outgoing call say how our own attempt ended: it never needs an alert.
const (
	// Answered means that a person talked with the caller.
	Answered Outcome = "answered"
	// Voicemailed means that the caller left a message.
	Voicemailed Outcome = "voicemail"
	// Missed means that the call rang and nobody answered.
	Missed Outcome = "missed"
	// Abandoned means that the caller gave up before or while an agent's phone rang.
	Abandoned Outcome = "abandoned"
	// OutcomeUnknown means that the call ended and nothing we know says how.
	OutcomeUnknown Outcome = "unknown"
)

// ranked are the outcomes in ascending order. Of what several sources say of one call,
// the last one here counts: who was answered was not missed, however often another
// phone rang before.
var ranked = [...]Outcome{"", OutcomeUnknown, Abandoned, Missed, Voicemailed, Answered}

func (o Outcome) rank() int { return slices.Index(ranked[:], o) }

// Known reports whether o says how the call ended.
func (o Outcome) Known() bool { return o.rank() > OutcomeUnknown.rank() }

// Best returns the one of two outcomes that counts, if both are said of one call.
func (o Outcome) Best(other Outcome) Outcome {
	if other.rank() > o.rank() {
		return other
	}
	return o
}

// unserved returns the kind of an incoming call with this outcome that nobody
// served, "" for any other.
func (o Outcome) unserved() Kind {
	switch o {
	case Missed, Abandoned:
		return KindMissedCall
	case Voicemailed:
		return KindVoicemail
	default:
		return ""
	}
}

// says is what a single word tells of a call's outcome.
type says uint8

// What words say. Of the outcomes in one phrase, the last one here counts. Other than
// between events, not being served comes before being answered: in "answered by
// voicemail" and "missed, no agent answered" the word beside it says what it is worth.
const (
	saysNothing    says = iota
	saysUnderWay        // the call has not ended
	saysClosed          // nobody was there, unless another word says that somebody answered
	saysCompleted       // it has ended, and how is not told
	saysBlocked         // it was kept out, which on purpose is not taken for a miss
	saysHungUp          // the caller hung up; if before an answer, this tells too little
	saysCallBack        // the caller asked for a call back, or the agent who talked with them noted it
	saysOutOfHours      // as saysClosed, but that the call has ended does not change it
	saysAnswered
	saysAbandoned
	saysMissed
	saysVoicemail

	// The others count for the words beside them.
	saysNot     // turns the answer that follows into a miss
	saysBefore  // what follows did not happen
	saysService // what makes a miss if there is none of it
	saysLeft    // what voicemails are; "not left" is none
	saysRobot   // who answers without being a person
	saysOther   // who answers in place of the one whose phone rang in vain
	saysAwaits  // an answer that follows has not come yet
)

// words is what each word says: letters only, in lower case. Two words of a phrase
// that belong together are listed as one. A word may have "call" before or behind it.
var words = map[string]says{
	// Format A's status, format B's call_info.type, the REST API's call_type, and what
	// the sales dialer and other telephone systems write.
	"answered": saysAnswered, "answer": saysAnswered, "accepted": saysAnswered, "attended": saysAnswered,
	"picked": saysAnswered, "pickedup": saysAnswered, "pickup": saysAnswered, "spoke": saysAnswered, "talked": saysAnswered,

	"missed": saysMissed, "unanswered": saysMissed, "noanswer": saysMissed, "notanswered": saysMissed,
	"busy": saysMissed, "failed": saysMissed, "failure": saysMissed, "declined": saysMissed, "rejected": saysMissed,
	"lost": saysMissed, "ignored": saysMissed, "decline": saysMissed, "reject": saysMissed,
	"nopickup": saysMissed, "noresponse": saysMissed, "RONA": saysMissed, // redirected on no answer; in small letters it is a name
	"afterhours": saysOutOfHours, "businesshours": saysOutOfHours, "officehours": saysOutOfHours, "outofhours": saysOutOfHours,
	"timedout": saysMissed, "timeout": saysMissed, "unattended": saysMissed, "unavailable": saysMissed,
	"refused": saysMissed, "unpicked": saysMissed, "unreachable": saysMissed, "unsuccessful": saysMissed,
	"rangout": saysMissed, "rna": saysMissed, "unserved": saysMissed,
	"chanunavail": saysMissed, "congestion": saysMissed, "subscriberabsent": saysMissed, // telephone switches
	"dnd": saysClosed, "holiday": saysClosed, "loggedout": saysClosed, "nonbusiness": saysClosed, "nonoffice": saysClosed,
	"nonworking": saysClosed, "notdisturb": saysClosed, "offhours": saysClosed, "ofoffice": saysClosed, "offline": saysClosed,
	"openinghours": saysClosed, "queuefull": saysClosed, "switchedoff": saysClosed, "workinghours": saysClosed,

	// Other languages: only words for a missed call or a mailbox, since one that is read
	// wrongly must not silence anybody. Two words with a "not" in them are listed as one.
	"entgangen": saysMissed, "entgangene": saysMissed, "entgangener": saysMissed, "gemist": saysMissed, "gemiste": saysMissed,
	"mancata": saysMissed, "mancate": saysMissed, "manque": saysMissed, "manques": saysMissed, "missad": saysMissed,
	"naoatendida": saysMissed, "naoatendido": saysMissed, "nichtangenommen": saysMissed, "nichtbeantwortet": saysMissed,
	"nietbeantwoord": saysMissed, "nietopgenomen": saysMissed, "noatendida": saysMissed, "nocontestada": saysMissed,
	"nocontestado": saysMissed, "nonrepondu": saysMissed, "nonrisposta": saysMissed, "nonrisposto": saysMissed,
	"perdida": saysMissed, "perdidas": saysMissed, "perdido": saysMissed, "perdu": saysMissed, "perdue": saysMissed,
	"persa": saysMissed, "sansreponse": saysMissed, "semresposta": saysMissed, "sinrespuesta": saysMissed,
	"ubesvart": saysMissed, "verpasst": saysMissed, "verpasste": saysMissed, "verpasster": saysMissed,
	"anrufbeantworter": saysVoicemail, "sprachbox": saysVoicemail, "sprachnachricht": saysVoicemail,
	"antwoordapparaat": saysVoicemail, "voicemailbericht": saysVoicemail, "boitevocale": saysVoicemail, "messagerievocale": saysVoicemail,
	"repondeur": saysVoicemail, "contestador": saysVoicemail, "devoz": saysVoicemail, // "buzón", "correo" or "correio de voz"
	"caixapostal": saysVoicemail, "secretariaeletronica": saysVoicemail, "segreteriatelefonica": saysVoicemail,
	"rostbrevlada": saysVoicemail, "telefonsvarare": saysVoicemail, "telefonsvarer": saysVoicemail, "telefonbeantworter": saysVoicemail,

	"abandoned": saysAbandoned, "abandon": saysAbandoned, "abandonment": saysAbandoned, "gaveup": saysAbandoned,
	"cancelled": saysAbandoned, "canceled": saysAbandoned, "cancel": saysAbandoned,
	"requestterminated": saysAbandoned, // SIP 487
	"backrequested":     saysCallBack, "callbackrequested": saysCallBack, "callbackscheduled": saysCallBack,
	"requestedcallback": saysCallBack,
	"hangup":            saysHungUp, "hungup": saysHungUp, "callerleft": saysHungUp,

	"voicemail": saysVoicemail, "voicemails": saysVoicemail, "voicemessage": saysVoicemail, "vm": saysVoicemail, "vmail": saysVoicemail,
	"leftmessage": saysVoicemail, "messageleft": saysVoicemail, "leftmsg": saysVoicemail, "msgleft": saysVoicemail, "mailbox": saysVoicemail,
	"machine": saysVoicemail, "answeringmachine": saysVoicemail,

	"in-progress": saysUnderWay, // as format A writes it, which saves reading the words one by one
	"inprogress":  saysUnderWay, "ringing": saysUnderWay, "queued": saysUnderWay, "inqueue": saysUnderWay,
	"connecting": saysUnderWay, "dialing": saysUnderWay, "initiated": saysUnderWay, "ongoing": saysUnderWay,
	"onhold": saysUnderWay, "started": saysUnderWay, "waiting": saysAwaits, "awaiting": saysAwaits, "pending": saysAwaits,

	"completed": saysCompleted, "complete": saysCompleted, "disconnected": saysCompleted, "dropped": saysCompleted,
	"ended": saysCompleted, "finished": saysCompleted, "terminated": saysCompleted,
	// What failed was not the call.
	"recordingfailed": saysCompleted, "transcriptionfailed": saysCompleted,
	"blocked": saysBlocked, "blacklisted": saysBlocked, "restricted": saysBlocked, "spam": saysBlocked,

	"no": saysNot, "not": saysNot, "never": saysNot, "nobody": saysNot, "none": saysNot, "without": saysNot,
	"non": saysNot, "un": saysNot, "didn": saysNot, "didnt": saysNot, "wasn": saysNot, "wasnt": saysNot,
	"arent": saysNot, "cant": saysNot, "doesnt": saysNot, "dont": saysNot, "hadnt": saysNot, "hasnt": saysNot,
	"havent": saysNot, "noone": saysNot, "unable": saysNot, "werent": saysNot, "wont": saysNot, "wouldnt": saysNot,
	"couldn": saysNot, "couldnt": saysNot, "cannot": saysNot, "isn": saysNot, "isnt": saysNot,
	"before": saysBefore, "until": saysBefore, "till": saysBefore,
	"agent": saysService, "agents": saysService, "available": saysService, "connected": saysService,
	"reachable": saysService, "response": saysService, "served": saysService, "handled": saysService,
	"connect": saysService, "pick": saysService, "responded": saysService,
	"left": saysLeft, "leave": saysLeft, "received": saysLeft, "recorded": saysLeft,
	"anotheragent": saysOther, "anotherdevice": saysOther, "anotheruser": saysOther, "colleague": saysOther, "elsewhere": saysOther,
	"otheragent": saysOther, "otherdevice": saysOther, "otheruser": saysOther, "somebodyelse": saysOther, "someoneelse": saysOther,
	"ai": saysRobot, "assistant": saysRobot, "attendant": saysRobot, "bot": saysRobot, "ivr": saysRobot, "system": saysRobot,
}

// outcomes are what a word or phrase of [says] means in the end.
var outcomes = [...]Outcome{
	saysCompleted:  OutcomeUnknown,
	saysBlocked:    OutcomeUnknown,
	saysClosed:     Missed,
	saysHungUp:     Abandoned,
	saysCallBack:   Abandoned,
	saysOutOfHours: Missed,
	saysAnswered:   Answered,
	saysAbandoned:  Abandoned,
	saysMissed:     Missed,
	saysVoicemail:  Voicemailed,
}

// phrase returns what a text says by its words, whatever their letter case and what
// stands between them.
func phrase(text []byte) says {
	if said := words[string(text)]; len(text) == 0 || said < saysNot && said != saysNothing {
		return said // as most are
	}
	if bytes.ContainsAny(text, ":=?") {
		if said, ok := answersIn(text); ok {
			return said
		}
	}
	return wordsSay(text)
}

// wordsSay returns what the words of a text say one after the other.
func wordsSay(text []byte) says {
	var (
		best      says
		negation  says // saysNot or saysBefore, if it is still to be applied
		robot     bool
		answered  bool // says the last word that tells an outcome
		elsewhere bool // and that by somebody else
		ended     bool // before an answer
		awaits    bool
		closed    bool // nobody was there
		nothing   bool // behind an answer it says that there is no recording
		last      says // what the word before says
		pair      pairReader
	)
	for pair.next(&text) {
		said, both := pair.lookUp()
		if both && last == saysNot && negation == saysNot {
			negation = saysNothing // it is one of the two: "no answer"
		}
		last = said
		closed = closed || said == saysClosed || said == saysOutOfHours
		switch said {
		case saysNot, saysBefore:
			negation = said
			continue
		case saysRobot:
			robot = true
			continue
		case saysOther:
			elsewhere = answered && negation == saysNothing && best == saysMissed
			continue
		case saysAwaits:
			awaits, best = true, max(best, saysUnderWay)
			continue
		case saysService, saysLeft:
			if negation != saysNot {
				ended = ended || negation == saysBefore && best == saysCompleted
				continue
			}
			switch {
			case said == saysLeft && best == saysAnswered:
				negation, nothing = saysNothing, true
				continue
			case said == saysLeft && best == saysVoicemail:
				best = saysMissed
			}
			said = saysAnswered
		default:
		}
		switch {
		case said < saysHungUp:
			best = max(best, said)
			continue
		case negation == saysBefore:
			ended = ended || said == saysAnswered && best == saysCompleted
			continue
		case negation == saysNot && said == saysVoicemail && best == saysAnswered:
			said, nothing = saysNothing, true
		case negation == saysNot && (said == saysAnswered || said == saysVoicemail):
			said = saysMissed
		case negation == saysNot:
			said = saysNothing
		case awaits && said == saysAnswered:
			said = saysUnderWay
		}
		negation, answered, elsewhere = saysNothing, said == saysAnswered, false
		best = max(best, said)
	}
	switch {
	case elsewhere && !robot && last != saysNot:
		return saysAnswered
	case last == saysNot && best == saysAnswered: // "answered: no", "answered by nobody"
		return saysMissed
	case last == saysAwaits && best == saysAnswered: // "answer pending"
		return saysUnderWay
	case robot && best == saysAnswered && (nothing || closed):
		return saysMissed
	case robot && best == saysAnswered:
		return saysCompleted
	case ended && best == saysCompleted:
		return saysAbandoned
	}
	return best
}

// answersIn returns what a text says that puts yes or no behind a word: "Answered: false,
// missed=1". ok is false if it does not. "missed: no" says nothing: it may have been blocked.
func answersIn(text []byte) (best says, ok bool) {
	denied := false
	for part := range bytes.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(",;/|&().\n", r) }) {
		at := max(0, bytes.LastIndexAny(part, ":=?"))
		said, answer := wordsSay(part[:at]), strings.ToLower(string(bytes.Trim(part[at:], ":=? ")))
		if said == saysAnswered {
			answer, _, _ = strings.Cut(answer, " ") // "answered: no agent", but not "missed: no agent"
		}
		switch yes, known := booleans[answer]; {
		case at == 0 || answer == "" || !known && !isPlaceholder(answer):
			said = wordsSay(part)
		case yes:
			ok = true
		default:
			denied = denied || said == saysAnswered
			said, ok = saysNothing, true
		}
		best = max(best, said)
	}
	if denied && best != saysBlocked {
		best = max(best, saysMissed)
	}
	return best, ok
}

// neutral are words of telephone systems that tell no outcome, and those between them.
var neutral = sync.OnceValue(func() map[string]bool {
	return wordSet(`
	active after archived at barged bridged by call callback caller callee closed conference customer deflected dialed
	dialled diverted during error expired for forwarded from held hold idle in invalid is joined line merged monitored
	muted network new of office on open or other overflow parked phone processed queue recording redirected
	resumed routed scheduled screened skipped state status switched the to transfer transferred trunk user was with
	wrapup`)
})

func wordSet(text string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(text) {
		set[word] = true
	}
	return set
}

// TelephoneWords returns the words of a text, in small letters, if all are words that
// telephone systems use: they cannot be anybody's data. Otherwise it returns "".
func TelephoneWords(text string) string {
	var all []string
	var pair pairReader
	for rest := []byte(text); pair.next(&rest); {
		word := string(pair.word())
		if words[word] == saysNothing && words[string(withoutCall(pair.word()))] == saysNothing && directions[word] == "" && !neutral()[word] {
			return ""
		}
		all = append(all, word)
	}
	return strings.Join(all, " ")
}

// maxWord is longer than any word in a table.
const maxWord = 24

// pairReader reads the words of a text, and each with the one before it.
type pairReader struct {
	letters      [2 * maxWord]byte
	before, last int // how many letters the two words have
}

// next takes the next word from the text and reports whether there was one. A word
// ends where a letter in lower case is followed by a capital, and at anything but a letter.
func (p *pairReader) next(text *[]byte) bool {
	copy(p.letters[:], p.letters[p.before:p.before+p.last])
	p.before, p.last = p.last, 0
	var i int
	var lower bool
	for s := *text; i < len(s); i++ {
		c, accent := s[i], false
		if c == latin && i+1 < len(s) {
			if c = plain(s[i+1]); c != 0 {
				i++
				accent = true
			}
		}
		switch {
		case accent:
		case 'a' <= c && c <= 'z':
			lower = true
		case 'A' <= c && c <= 'Z':
			if lower {
				*text = s[i:]
				return true
			}
			c += 'a' - 'A'
		case p.last > 0:
			*text = s[i:]
			return true
		default:
			continue
		}
		if p.last < maxWord {
			p.letters[p.before+p.last] = c
			p.last++
		}
	}
	*text = nil
	return p.last > 0
}

// latin is the first byte of the letters of western Europe in UTF-8.
const latin = 0xC3

// plain returns a letter without its accent, in lower case, by its second byte; 0 for
// what is no letter.
func plain(second byte) byte {
	const letters = "aaaaaaaceeeeiiiidnooooo\x00ouuuuytsaaaaaaaceeeeiiiidnooooo\x00ouuuuyty"
	if second < 0x80 || int(second-0x80) >= len(letters) {
		return 0
	}
	return letters[second-0x80]
}

// lookUp returns what the word says, if possible both together.
func (p *pairReader) lookUp() (said says, both bool) {
	if p.before > 0 {
		if said, both = words[string(p.both())]; both {
			return said, true
		}
	}
	word := p.word()
	if said, ok := words[string(word)]; ok {
		return said, false
	}
	return words[string(withoutCall(word))], false
}

func (p *pairReader) both() []byte { return p.letters[:p.before+p.last] }

func (p *pairReader) word() []byte { return p.letters[p.before : p.before+p.last] }

// withoutCall cuts "call" off a word, as in "missedcall".
func withoutCall(word []byte) []byte {
	call := []byte("call")
	if len(word) == len(call) {
		return word
	}
	if rest, ok := bytes.CutPrefix(word, call); ok {
		return rest
	}
	return bytes.TrimSuffix(word, call)
}
