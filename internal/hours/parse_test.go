package hours_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/hours"
)

// monday is the first day of a week without holidays.
var monday = time.Date(2026, time.June, 1, 0, 0, 0, 0, time.UTC)

// weekOf writes when a calendar is open from Monday on.
func weekOf(c hours.Calendar) string {
	var b strings.Builder
	end := monday.AddDate(0, 0, 7)
	for at, wasOpen := monday, false; !at.After(end); at = at.Add(time.Minute) {
		switch open := c.Open(at) && at.Before(end); {
		case open && !wasOpen:
			fmt.Fprint(&b, at.Format(" Mon 15:04"))
			wasOpen = true
		case !open && wasOpen:
			fmt.Fprint(&b, at.Format("-Mon 15:04"))
			wasOpen = false
		}
	}
	return strings.TrimSpace(b.String())
}

func TestHoursAreReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	const weekdays = "Mon 09:00-Mon 17:30 Tue 09:00-Tue 17:30 Wed 09:00-Wed 17:30 Thu 09:00-Thu 17:30 Fri 09:00-Fri 17:30"
	const always = "Mon 00:00-Mon 00:00"
	for text, want := range map[string]string{
		"":                                      always,
		" ":                                     always,
		"24/7":                                  always,
		"daily 0:00-24:00":                      always,
		"Mon-Sun 00:00-00:00":                   always,
		"Mon-Fri 9:00-17:30":                    weekdays,
		"mon–fri 09:00–17:30":                   weekdays,
		"Mo-Fr 0900-1730":                       weekdays,
		"Mondays to Fridays 9 am - 5.30 p.m.":   weekdays,
		"weekdays: 9.00 to 17.30":               weekdays,
		"Mon - Thurs, Fri. 9h-17h30":            weekdays,
		"Mon, Tues & Weds, Thu and Fri 9-17:30": weekdays,
		"Mon-Fri 9-17:30, weekend closed":       weekdays,
		"Sun-Sat closed, Sat 10-13":             "", // refused
		"Wed 9-12, 13:00-17:00, Sat 10-13":      "Wed 09:00-Wed 12:00 Wed 13:00-Wed 17:00 Sat 10:00-Sat 13:00",
		"Wed 13-17; Sat 10-13":                  "", // refused
		"Wed 13-17, Wed 9-12":                   "Wed 09:00-Wed 12:00 Wed 13:00-Wed 17:00",
		"Wed 9-12 13-17":                        "Wed 09:00-Wed 12:00 Wed 13:00-Wed 17:00",
		"Fri-Mon 10-12":                         "Mon 10:00-Mon 12:00 Fri 10:00-Fri 12:00 Sat 10:00-Sat 12:00 Sun 10:00-Sun 12:00",
		"Fri 22:00-02:00":                       "Fri 22:00-Sat 02:00",
		"Fri 10pm-2am":                          "Fri 22:00-Sat 02:00",
		"Sun 18:00-08:00":                       "Mon 00:00-Mon 08:00 Sun 18:00-Mon 00:00",
		"Fri noon-midnight, Sat 0:00-2:00":      "Fri 12:00-Sat 02:00",
		"Fri 20-24, Sat 00:00-02:00":            "Fri 20:00-Sat 02:00",
		"Fri 01:00-05:00":                       "Fri 01:00-Fri 05:00",
		"Fri 1am-5am":                           "Fri 01:00-Fri 05:00",
		"Fri 12am-12pm":                         "Fri 00:00-Fri 12:00",
	} {
		lines, err := hours.Parse(text, "", time.UTC)
		if want == "" {
			if !errors.Is(err, hours.ErrHours) {
				t.Errorf("%q: %v, want an error", text, err)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		if got := weekOf(lines.Of("", "")); got != want {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestALineMayHaveHoursOfItsOwn(t *testing.T) {
	t.Parallel()
	lines, err := hours.Parse("Mon 9-10; Support  desk = Tue 9-10; +1 (415) 555-0100=Wed 9-10; 24 h line=24/7", "2026-06-04 Corpus Christi", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, number, line, want string }{
		{"by its name", "+14155550199", "support desk", "Tue 09:00-Tue 10:00"},
		{"by its number", "+14155550100", "Sales", "Wed 09:00-Wed 10:00"},
		{"by its number before its name", "+14155550100", "Support desk", "Wed 09:00-Wed 10:00"},
		{"another line", "+14155550101", "Support", "Mon 09:00-Mon 10:00"},
		{"a line that is not known", "", "", "Mon 09:00-Mon 10:00"},
		{"a holiday is one of all lines", "", "24 H LINE", "Mon 00:00-Thu 00:00 Fri 00:00-Mon 00:00"},
	} {
		if got := weekOf(lines.Of(test.number, test.line)); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestWhatIsWrongIsSaidWithItsPlaceAndWhatToWrite(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ hours, holidays, want string }{
		{"Mon-Fri 9-5", "", `business hours: "9-5", at character 9, can mean two things: write 9:00-17:00 or 9am-5am`},
		{"Mon-Fri 9-12, 1-5", "", `business hours: "1-5", at character 15, can mean two things: write 13:00-17:00 or 1am-5am`},
		{"Mon-Fri 8:30 - 5:30", "", `business hours: "8:30 - 5:30", at character 9, can mean two things: write 8:30-17:30 or 8:30am-5:30am`},
		{"Mon-Fri 12-2", "", `business hours: "12-2", at character 9, can mean two things: write 12:00-14:00 or 12pm-2am`},
		{"Mon-Fri 9-5pm", "", `business hours: "9-5pm", at character 9, says only of one time whether it is am or pm: write 9am-5pm or 9:00-17:00`},
		{"Mon-Fri 9am-5", "", `business hours: "9am-5", at character 9, says only of one time whether it is am or pm: write 9am-5pm or 9:00-17:00`},
		{"Mon-Fri 9-12, 08:00-11:00", "", `business hours: "08:00-11:00", at character 15, begins before 12:00, when the hours before it end: write the hours of a day in order, as a clock of 24 hours shows them, such as 9:00-12:00, 13:00-17:00`},
		{"Mon-Fri 9-25", "", `business hours: "25", at character 11, is no time of day: write 9:00 or 9am, 17:30 or 5:30pm`},
		{"Mon-Fri 9:60-17", "", `business hours: "9:60", at character 9, is no time of day: write 9:00 or 9am, 17:30 or 5:30pm`},
		{"Mon-Fri 17pm-18", "", `business hours: "17pm", at character 9, is no time of day: write 9:00 or 9am, 17:30 or 5:30pm`},
		{"Mon-Fri 24:00-8:00", "", `business hours: "24:00-8:00", at character 9, begins at the end of the day: write 0:00 and the next day`},
		{"Mon-Fri 13-13", "", `business hours: "13-13", at character 9, begins and ends at the same time: write 0:00-24:00 for the whole day`},
		{"Mon-Fri 9", "", `business hours: "9", at character 9, has no end: write both times, such as 9:00-17:00`},
		{"Mon-Fri 9-", "", `business hours: "9-", at character 9, has no end: write both times, such as 9:00-17:00`},
		{"Mon-Fri 9-Sat", "", `business hours: "9-", at character 9, has no end: write both times, such as 9:00-17:00`},
		{"Mon-Fri 9-17, Sat", "", `business hours: "Sat", at character 15, has no hours: write "Sat 9:00-13:00", "Sat 0:00-24:00" for the whole day, or leave it out if you are closed`},
		{"Mon- 9-17", "", `business hours: "Mon-", at character 1, lacks the last day: write a day on both sides of the dash, such as Mon-Fri`},
		{"Mon-Fri 9-17, PH off", "", `business hours: "PH", at character 15, is no day of the week: write Mon, Tue, Wed, Thu, Fri, Sat or Sun; dates on which you are closed are holidays, which have a setting of their own`},
		{"Lün-Frei 9-17", "", `business hours: "Lün", at character 1, is no day of the week: write Mon, Tue, Wed, Thu, Fri, Sat or Sun; dates on which you are closed are holidays, which have a setting of their own`},
		{"Mön; Fri 9-17", "", `business hours: "Mön", at character 1, is no day of the week: write Mon, Tue, Wed, Thu, Fri, Sat or Sun; dates on which you are closed are holidays, which have a setting of their own`},
		{"Fri am", "", `business hours: "am", at character 5, stands behind no time: write 9am or 5:30pm`},
		{"- 9-17", "", `business hours: "-", at character 1, stands alone: write days and hours, such as Mon-Fri 9:00-17:00`},
		{"Mon 9-17, Tue 24/7", "", `business hours: "24/7", at character 15, stands among other hours: write 0:00-24:00 for a whole day`},
		{"24/7, Mon 9-17", "", `business hours: ",", at character 5, follows 24/7: write one of the two`},
		{"Mon-Sat 9-17, Sat 10-13", "", `business hours: "10-13", at character 19, and 9-17 are both hours of Saturday: give each day its hours once`},
		{"Sun 22:00-02:00, Mon 1am-5am", "", `business hours: "22:00-02:00", at character 5, of Sunday lasts until 1am-5am of Monday are under way: end one before the other begins`},
		{"Mon-Sun 9-17, Sun closed", "", `business hours: "closed", at character 19, contradicts 9-17: leave Sunday out of one of the two`},
		{"Mon-Sun closed", "", `business hours: "Mon-Sun closed", at character 1, has only closed days: write when you are open, such as Mon-Fri 9:00-17:00`},
		{"Support=Mon-Fri 9-17; Sat 10-13", "", `business hours: "Sat 10-13", at character 23, names no line: write "Sales=Sat 10-13" for a line, with a comma instead of the semicolon if it belongs to the line before, or the hours of all other lines first`},
		{"Mon-Fri 9-17; Support=", "", `business hours: "", at character 23, has no hours: write them, such as Support=Mon-Fri 9:00-17:00`},
		{"Mon-Fri 9-17; =Sat 10-13", "", `business hours: "=Sat 10-13", at character 15, names no line: write its name or number before the =`},
		{"Sales=Mon 9-17; sales = Tue 9-17", "", `business hours: "sales", at character 17, has hours twice: write all its hours behind one =, with commas between them`},
		{"", "12/25/2026", `holidays: "12/25/2026", at character 1, is no date: write year, month and day, such as 2026-12-25 or 2026-12-24 to 2027-01-01, with commas between them`},
		{"", "2026-12-25, Dec 26", `holidays: "Dec 26", at character 13, is no date: write year, month and day, such as 2026-12-25 or 2026-12-24 to 2027-01-01, with commas between them`},
		{"", "Christmas", `holidays: "Christmas", at character 1, is no date: write year, month and day, such as 2026-12-25 or 2026-12-24 to 2027-01-01, with commas between them`},
		{"", "2026-02-29", `holidays: "2026-02-29", at character 1, is no day of the calendar: write year, month and day, such as 2026-12-25 or 2026-12-24 to 2027-01-01, with commas between them`},
		{"", "2026-12-24 to 2026-12-32", `holidays: "2026-12-24 to 2026-12-32", at character 1, is no day of the calendar: write year, month and day, such as 2026-12-25 or 2026-12-24 to 2027-01-01, with commas between them`},
		{"", "2026-12-24 to 2026-01-01", `holidays: "2026-12-24 to 2026-01-01", at character 1, ends before it begins: write year, month and day, such as 2026-12-25 or 2026-12-24 to 2027-01-01, with commas between them`},
		{"", "2026-12-24 to 2037-01-01", `holidays: "2026-12-24 to 2037-01-01", at character 1, is more than 366 days: write year, month and day, such as 2026-12-25 or 2026-12-24 to 2027-01-01, with commas between them`},
		{"", "2026-12-24 2026-12-25", `holidays: "2026-12-24 2026-12-25", at character 1, is no date: write year, month and day, such as 2026-12-25 or 2026-12-24 to 2027-01-01, with commas between them`},
	} {
		_, err := hours.Parse(test.hours, test.holidays, time.UTC)
		if err == nil {
			t.Errorf("%q %q: no error", test.hours, test.holidays)
			continue
		}
		want := hours.ErrHours
		if test.hours == "" {
			want = hours.ErrHolidays
		}
		if diff := cmp.Diff(test.want, err.Error()); diff != "" || !errors.Is(err, want) {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	_, err := hours.Parse("x", "y", time.UTC)
	if !errors.Is(err, hours.ErrHours) || !errors.Is(err, hours.ErrHolidays) {
		t.Errorf("%v, want both", err)
	}
}

func TestHolidaysCloseTheWholeDay(t *testing.T) {
	t.Parallel()
	const without = "Mon 00:00-Wed 00:00 Thu 00:00-Mon 00:00"
	for text, want := range map[string]string{
		"2026-06-03":                          without,
		" 2026-06-03 Founder's Day ":          without,
		"2025-06-02\n2026-06-03(observed)":    without,
		"2026-06-03 Founder's Day, observed,": without,
		"2026-06-03 Founder's Day; Eid al-Fitr (estimated); 2027-06-03 Founder's Day": without,
		"2026-06-02 to 2026-06-04 Moving":                                             "Mon 00:00-Tue 00:00 Fri 00:00-Mon 00:00",
		"2026-06-02..2026-06-04":                                                      "Mon 00:00-Tue 00:00 Fri 00:00-Mon 00:00",
		"2026-06-02 – 2026-06-04":                                                     "Mon 00:00-Tue 00:00 Fri 00:00-Mon 00:00",
		"2026-06-02/2026-06-04":                                                       "Mon 00:00-Tue 00:00 Fri 00:00-Mon 00:00",
	} {
		lines, err := hours.Parse("", text, time.UTC)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := weekOf(lines.Of("", "")); got != want {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	}

	lines, err := hours.Parse("Mon-Sun 22:00-02:00", "2026-06-03", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	const nights = "Mon 00:00-Mon 02:00 Mon 22:00-Tue 02:00 Tue 22:00-Wed 00:00 Thu 22:00-Fri 02:00 Fri 22:00-Sat 02:00 Sat 22:00-Sun 02:00 Sun 22:00-Mon 00:00"
	if got := weekOf(lines.Of("", "")); got != nights {
		t.Errorf("nights:\n got %s\nwant %s", got, nights)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("Mon-Fri 9:00-12:00, 13:00-17:30, Sat 10-13; Support=24/7; +14155550100=Mon-Fri 8am-8pm", "2026-12-24 to 2027-01-01 Winter break, 2027-07-01")
	f.Add("Fri 22:00–02:00, weekends closed;=", "2026-02-29")
	f.Fuzz(func(t *testing.T, text, holidays string) {
		lines, err := hours.Parse(text, holidays, time.UTC)
		switch {
		case err == nil:
			c := lines.Of("", "")
			if next := c.NextOpening(monday); !c.Open(next) {
				t.Errorf("%q, %q: not open at its next opening %v", text, holidays, next)
			}
		case !errors.Is(err, hours.ErrHours) && !errors.Is(err, hours.ErrHolidays):
			t.Error(err)
		}
	})
}
