package storm

import "fmt"

// The people, lines and words of the stories. None of them exists.

var (
	firstNames = []string{
		"Ada", "Bruno", "Chloé", "Dmitri", "Elif", "Farah", "Gwen", "Hiro", "Ines", "Jordan", "Kwame", "Léa",
		"Mairéad", "Noor", "Omar", "Pat", "Quinn", "Rosa", "Sören", "Tomás", "Uma", "Violeta", "Wei", "Yusuf",
	}
	lastNames = []string{
		"Abara", "Brandt", "Costa", "Delgado", "Eriksen", "Fontaine", "Greaves", "Haddad", "Ito", "Jansen", "Kaur",
		"Lindqvist", "Moreau", "Nakamura", "O'Sample", "Parry", "Quist", "Rossi", "Smith", "Tanaka", "Usman", "Vogel",
	}
	companies = []string{
		"Acme Corp", "Globex", "Initech", "Example & Sons", "Sample Tiles", "Muster GmbH", `"Fig" Leaf Ltd`,
		"Specimen / Partners", "Placeholder Plumbing", "",
	}
	sentences = []string{
		"Hi, this is about the order from last week.",
		"Please call me back about the contract.",
		"The boiler is leaking again, it is urgent.",
		"Could I move my appointment to Friday?",
		"Sorry, wrong number.",
		"Er sagte: \"morgen früh\", oder später.",
		"Line one\nline two\twith a tab",
		"Tom &amp; Rosa&#039;s reference is A\\/17",
		"Merci beaucoup 🙂 à demain",
		"ご連絡をお待ちしております。",
	}
	areaCodes = []string{
		"202", "206", "212", "213", "303", "305", "312", "404", "415", "503", "512", "602", "617", "702", "713", "808",
	}
	lineNames = []string{"Main Line", "Support", "Sales", "Billing", "After Hours"}
)

// person is somebody who calls, writes or is in the address book.
type person struct {
	number      string // digits, with country code
	first, last string
	email       string
	company     string
}

// name is as format B writes it, full.
func (p *person) name() string { return p.first + " " + p.last }

// someone returns one of the people. Few of them call often, as everywhere.
func (t *teller) someone() person {
	n := min(t.rng.IntN(1600), t.rng.IntN(1600))
	return person{
		number:  fmt.Sprintf("1%s55501%02d", areaCodes[n%len(areaCodes)], n/len(areaCodes)),
		first:   firstNames[n%len(firstNames)],
		last:    lastNames[n%len(lastNames)],
		email:   fmt.Sprintf("person%d@example.com", n),
		company: companies[n%len(companies)],
	}
}

// line is one of the account's own numbers.
type line struct{ number, name string }

func (t *teller) line() line {
	n := t.rng.IntN(len(lineNames))
	return line{number: fmt.Sprintf("1415555019%d", n), name: lineNames[n]}
}

// agent is somebody of the account. One without a name is nobody.
type agent struct {
	id    int
	name  string
	email string
}

func (t *teller) agent() agent {
	n := t.rng.IntN(12)
	return agent{id: 27150 + n, name: firstNames[n] + " " + lastNames[(n+7)%len(lastNames)], email: fmt.Sprintf("agent%d@example.org", n)}
}

func (t *teller) sentence() string { return pick(t.rng, sentences...) }
