package events_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ringback/ringback/events"
)

func TestParseTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 3, 21, 17, 8, 22, 0, time.UTC)
	for _, test := range []struct {
		name string
		text string
		want time.Time // zero: no time
	}{
		{"ISO 8601 in UTC", "2024-03-21T17:08:22Z", at},
		{"milliseconds", "2024-03-21T17:08:22.123Z", at.Add(123 * time.Millisecond)},
		{"what is finer is cut off", "2024-03-21T17:08:22.123999999Z", at.Add(123 * time.Millisecond)},
		{"an offset ahead", "2024-03-21T22:38:22+05:30", at},
		{"an offset behind", "2024-03-21T09:08:22-08:00", at},
		{"an offset without a colon", "2024-03-21T22:38:22+0530", at},
		{"an offset that changes the day", "2024-03-22T02:08:22+09:00", at},
		{"no zone is UTC", "2024-03-21T17:08:22", at},
		{"a space for the T", "2024-03-21 17:08:22", at},
		{"a space and a zone", "2024-03-21 17:08:22Z", at},
		{"a space and an offset", "2024-03-21 22:38:22+05:30", at},
		{"an unpadded hour", "2024-03-21 9:08:22", at.Add(-8 * time.Hour)},
		{"an unpadded hour of midnight", "2024-03-21 0:08:22", at.Add(-17 * time.Hour)},
		{"no seconds", "2024-03-21 17:08", at.Add(-22 * time.Second)},
		{"space around it", " 2024-03-21 17:08:22\n", at},
		{"a lower-case z, as RFC 3339 allows", "2024-03-21T17:08:22z", at},
		{"a lower-case t and z, as RFC 3339 allows", "2024-03-21t17:08:22z", at},
		{"a zone's name behind its offset", "2024-03-21T18:08:22+01:00[Europe/Berlin]", at},
		{"a zone's name alone", "2024-03-21T18:08:22[Europe/Berlin]", time.Time{}},
		{"as in a header", "Thu, 21 Mar 2024 17:08:22 GMT", at},
		{"as in an e-mail", "Thu, 21 Mar 2024 18:08:22 +0100", at},
		{"as JavaScript shows it", "Thu Mar 21 2024 18:08:22 GMT+0100 (Central European Standard Time)", at},
		{"as date shows it", "Thu Mar 21 17:08:22 UTC 2024", at},
		{"as C shows it", "Thu Mar 21 17:08:22 2024", at},
		{"a month's name before the day", "Mar 21, 2024 5:08:22 PM", at},
		{"a month's whole name", "March 21, 2024 at 17:08:22", at},
		{"a month's name behind the day", "21 Mar 2024 17:08:22", at},
		{"a month's name, and an offset", "21 march 2024, 18:08:22 +01:00", at},
		{"a month's name in four letters", "Sept 1, 2024 12:08 am", time.Date(2024, 9, 1, 0, 8, 0, 0, time.UTC)},
		{"no month's name", "Marble 21, 2024 17:08:22", time.Time{}},
		{"two letters of a month", "Ma 21, 2024 17:08:22", time.Time{}},
		{"a day that the month does not have", "Feb 30, 2024 17:08:22", time.Time{}},
		{"a month's name and no year", "Mar 21 17:08:22", time.Time{}},
		{"two years", "Mar 21 2024 2024 17:08:22", time.Time{}},
		{"two months", "Mar Apr 21 2024 17:08:22", time.Time{}},
		{"a month's name and no time of day", "March 21, 2024", time.Time{}},
		{"a zone that may be several", "Thu, 21 Mar 2024 17:08:22 CST", time.Time{}},
		{"epoch seconds", "1711040902", at},
		{"epoch milliseconds", "1711040902123", at.Add(123 * time.Millisecond)},
		{"a leap day", "2024-02-29T00:00:00Z", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
		{"the first instant that counts", "2000-01-01T00:00:00Z", time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"a date and a time in digits", "20240321170822", at},
		{"a date and a time in digits, with a T", "20240321T170822Z", at},
		{"a date and a time in digits, with an offset", "20240321T223822+05:30", at},
		{"the last instant of year 9999", "9999-12-31T23:59:59.999999Z", time.Date(9999, 12, 31, 23, 59, 59, 999_000_000, time.UTC)},
		{"year 9999 by an offset", "9999-12-31T23:59:59+00:01", time.Date(9999, 12, 31, 23, 58, 59, 0, time.UTC)},

		{"epoch seconds with a fraction", "1711040902.5", at.Add(500 * time.Millisecond)},
		{"epoch seconds with six digits of fraction", "1711040902.123999", at.Add(123 * time.Millisecond)},
		{"epoch seconds with a dot", "1711040902.", at},
		{"epoch milliseconds with a fraction", "1711040902123.9", at.Add(123 * time.Millisecond)},
		{"the last epoch milliseconds", "253402300799999", time.Date(9999, 12, 31, 23, 59, 59, 999_000_000, time.UTC)},
		{"epoch microseconds", "1711040902123456", at.Add(123 * time.Millisecond)},
		{"epoch nanoseconds", "1711040902123456789", at.Add(123 * time.Millisecond)},

		{"a 12-hour clock", "2024-03-21 5:08:22 PM", at},
		{"a 12-hour clock without seconds", "2024-03-21 5:08 pm", at.Add(-22 * time.Second)},
		{"a 12-hour clock without a space", "2024-03-21 05:08:22PM", at},
		{"a 12-hour clock with dots", "2024-03-21 5:08:22 p.m.", at},
		{"a 12-hour clock before noon", "2024-03-21 9:08:22 AM", at.Add(-8 * time.Hour)},
		{"noon", "2024-03-21 12:00 PM", time.Date(2024, 3, 21, 12, 0, 0, 0, time.UTC)},
		{"midnight", "2024-03-21 12:00 AM", time.Date(2024, 3, 21, 0, 0, 0, 0, time.UTC)},
		{"a 12-hour clock as JavaScript writes it", "2024-03-21 5:08:22\u202fPM", at},
		{"a 12-hour clock with a no-break space", "Mar 21, 2024, 5:08:22\u00a0pm", at},
		{"a 24-hour clock with PM", "2024-03-21 17:08:22 PM", at},
		{"a 12-hour clock and a zone", "2024-03-21 5:08:22 PM UTC", at},
		{"the end of a day", "2024-02-28 24:00:00", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
		{"the end of a year", "2024-12-31T24:00:00Z", time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"the end of a day without seconds", "2024-03-21 24:00", time.Date(2024, 3, 22, 0, 0, 0, 0, time.UTC)},
		{"a leap second", "2016-12-31T23:59:60Z", time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"60 seconds", "2024-03-21 17:07:60", at.Add(-22 * time.Second)},
		{"an offset of hours", "2024-03-21 19:08:22+02", at},
		{"an offset of hours behind a T", "2024-03-21T19:08:22+02", at},
		{"an offset of one digit", "2024-03-21 19:08:22 +2", at},
		{"an offset behind a space", "2024-03-21 22:38:22 +05:30", at},
		{"a space, an offset without a colon", "2024-03-21 22:38:22+0530", at},
		{"UTC", "2024-03-21 17:08:22 UTC", at},
		{"GMT", "2024-03-21 17:08:22 GMT", at},
		{"UTC behind a T", "2024-03-21T17:08:22UTC", at},
		{"Z behind a space", "2024-03-21 17:08:22 Z", at},
		{"an offset from UTC", "2024-03-21 19:08:22 UTC+2", at},
		{"an offset from GMT", "2024-03-21 09:08:22 GMT-08:00", at},
		{"as Go prints it", "2024-03-21 17:08:22 +0000 UTC", at},
		{"slashes, year first", "2024/03/21 17:08:22", at},
		{"slashes, unpadded", "2024/3/21 17:08:22", at},
		{"slashes and a T", "2024/03/21T17:08:22Z", at},
		{"dots, year first", "2024.03.21 17:08:22", at},
		{"an unpadded month", "2024-3-21 17:08:22", at},
		{"nothing padded", "2024-3-21 9:8:2", time.Date(2024, 3, 21, 9, 8, 2, 0, time.UTC)},
		{"a month's name between dashes", "21-Mar-2024 17:08:22", at},
		{"a month's whole name between dashes, and an offset", "21-march-2024 5:08:22 pm -00:00", at},
		{"two spaces", "2024-03-21  17:08:22", at},
		{"a comma", "2024-03-21, 17:08:22", at},
		{"a comma before the fraction", "2024-03-21 17:08:22,123", at.Add(123 * time.Millisecond)},
		{"no seconds behind a T", "2024-03-21T17:08Z", at.Add(-22 * time.Second)},

		{"24 hours and a minute", "2024-03-21 24:01:00", time.Time{}},
		{"24 hours and a second", "2024-03-21 24:00:01", time.Time{}},
		{"61 seconds", "2024-03-21 17:08:61", time.Time{}},
		{"60 minutes", "2024-03-21 17:60:00", time.Time{}},
		{"a 24-hour clock with AM", "2024-03-21 17:08:22 AM", time.Time{}},
		{"an offset of 24 hours", "2024-03-21 17:08:22+24", time.Time{}},
		{"a sign without an offset", "2024-03-21 17:08:22+", time.Time{}},
		{"the name of a zone", "2024-03-21 17:08:22 EST", time.Time{}},
		{"two digits of year", "24/03/21 17:08:22", time.Time{}},
		{"two separators", "2024-03/21 17:08:22", time.Time{}},
		{"no separators", "20240321 17:08:22", time.Time{}},
		{"a day that is not, with slashes", "2023/02/29 17:08:22", time.Time{}},
		{"month 0", "2024/00/21 17:08:22", time.Time{}},
		{"day 0", "2024/03/00 17:08:22", time.Time{}},
		{"a date and its clock run together", "2024/03/2117:08:22", time.Time{}},
		{"a date with slashes alone", "2024/03/21", time.Time{}},
		{"a clock of three digits", "2024/03/21 17:008:22", time.Time{}},
		{"a day with dots, and two digits of year", "21.03.24 17:08:22", time.Time{}},
		{"a month with dots before the day", "03.21.2024 17:08:22", time.Time{}},
		{"a year with dots on both sides", "2024.03.2024 17:08:22", time.Time{}},
		{"no month's name between dashes", "21-Marble-2024 17:08:22", time.Time{}},
		{"a month's name and two digits of year", "21-Mar-24 17:08:22", time.Time{}},
		{"a dot without a fraction", "2024/03/21 17:08:22.", time.Time{}},

		{"empty", "", time.Time{}},
		{"white space", "  ", time.Time{}},
		{"not a time", "yesterday", time.Time{}},
		{"the instant before the first that counts", "1999-12-31T23:59:59.999Z", time.Time{}},
		{"a spreadsheet's zero", "1899-12-30 00:00:00", time.Time{}},
		{"an epoch's zero", "1970-01-01 00:00:00", time.Time{}},
		{"an epoch's zero, west of Greenwich", "1969-12-31T16:00:00-08:00", time.Time{}},
		{"an epoch's zero in digits", "0", time.Time{}},
		{"a date in digits", "20240321", time.Time{}},
		{"a date in digits with a fraction", "20240321.0", time.Time{}},
		{"a date and minutes in digits", "202403211708", time.Time{}},
		{"a spreadsheet's day", "45372.714143", time.Time{}},
		{"seconds of 1973", "100000000", time.Time{}},
		{"the zero of year 1 in another zone", "0001-01-01T05:00:00Z", time.Time{}},
		{"the zero of year 0", "0000-01-01T00:00:00Z", time.Time{}},
		{"fourteen digits that are no date", "99999999999999", time.Date(5138, 11, 16, 9, 46, 39, 999_000_000, time.UTC)},
		{"the first instant of year 1 is no time", "0001-01-01T00:00:00Z", time.Time{}},
		{"nor is what is cut off to it", "0001-01-01T00:00:00.0009Z", time.Time{}},
		{"nor is it with an offset", "0001-01-01T01:00:00+01:00", time.Time{}},
		{"a database's zero date", "0000-00-00 00:00:00", time.Time{}},
		{"before year 0 by an offset", "0000-01-01T00:00:00+00:01", time.Time{}},
		{"after year 9999 by an offset", "9999-12-31T23:59:59-00:01", time.Time{}},
		{"five digits of year", "10000-01-01T00:00:00Z", time.Time{}},
		{"a negative year", "-0001-01-01T00:00:00Z", time.Time{}},
		{"a day that is not", "2024-02-30T00:00:00Z", time.Time{}},
		{"a leap day that is not", "2023-02-29T00:00:00Z", time.Time{}},
		{"a month that is not", "2024-13-01T00:00:00Z", time.Time{}},
		{"an hour that is not", "2024-03-21 25:00:00", time.Time{}},
		{"a date alone", "2024-03-21", time.Time{}},
		{"a time alone", "17:08:22", time.Time{}},
		{"more behind it", "2024-03-21T17:08:22Z and later", time.Time{}},
		{"a NUL in it", "2024-03-21T17:08:22Z\x00", time.Time{}},
		{"the American order", "03/21/2024 17:08:22", time.Time{}},
		{"negative seconds", "-1711040902", time.Time{}},
		{"seconds with a sign", "+1711040902", time.Time{}},
		{"seconds in hex", "0x65fc6b46", time.Time{}},
		{"two dots", "1711040902.5.5", time.Time{}},
		{"a dot alone", ".", time.Time{}},
		{"a fraction alone", ".5", time.Time{}},
		{"an exponent in text", "1.711040902e9", time.Time{}},
		{"the largest 63 bits", "9223372036854775807", time.Time{}},
		{"more than 64 bits", "99999999999999999999", time.Time{}},
		{"three thousand digits", strings.Repeat("9", 3000), time.Time{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, ok := events.ParseTime(test.text)
			if !got.Equal(test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if ok != !test.want.IsZero() {
				t.Errorf("ok: got %v", ok)
			}
			if ok && got.Location() != time.UTC {
				t.Errorf("not in UTC, but in %s", got.Location())
			}
		})
	}
}

func TestParseTimeReadsWhatIsWritten(t *testing.T) {
	t.Parallel()
	first := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	last := time.Date(9999, 12, 30, 23, 59, 59, 0, time.UTC).UnixMilli()
	rapid.Check(t, func(t *rapid.T) {
		want := time.UnixMilli(rapid.Int64Range(first, last).Draw(t, "milliseconds")).UTC()
		layout := rapid.SampledFrom([]string{
			"2006-01-02T15:04:05.000Z07:00",
			"2006-01-02T15:04:05.000Z0700",
			"2006-01-02 15:04:05.000Z07:00",
			time.RFC3339Nano,
		}).Draw(t, "layout")
		zone := time.FixedZone("", 60*rapid.IntRange(-14*60, 14*60).Draw(t, "minutes east"))
		text := want.In(zone).Format(layout)
		if got, ok := events.ParseTime(text); !ok || !got.Equal(want) {
			t.Fatalf("%q: got %s, %v, want %s", text, got, ok, want)
		}
		text = want.Format("2006-01-02 15:04:05.000")
		if got, ok := events.ParseTime(text); !ok || !got.Equal(want) {
			t.Fatalf("%q: got %s, %v, want %s", text, got, ok, want)
		}
	})
}

// What is read loosely is what time.Parse reads, if it reads it.
func TestLooseTimesAreTheSameTimes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := time.Unix(rapid.Int64Range(946_684_800, 250_000_000_000).Draw(t, "seconds"), 0).UTC()
		layout := rapid.SampledFrom([]string{
			"2006/1/2 15:04:05", "2006-1-2 3:04:05 PM", "2006.01.02 03:04:05pm MST", "2006-01-02 15:04:05 -07", "2006-01-02T15:04:05 -0700",
			time.RFC1123Z, "02 Jan 2006 15:04:05", time.UnixDate, time.ANSIC, "January 2, 2006 3:04:05 PM", "Mon Jan 02 2006 15:04:05 GMT-0700",
			"2006/01/02, 15:04:05 MST", "2006-01-02 15:04:05 -0700 MST", "2006-1-2 15:04:05Z",
		}).Draw(t, "layout")
		text := want.Format(layout)
		if got, ok := events.ParseTime(text); !ok || !got.Equal(want) {
			t.Fatalf("%q: got %s, %v, want %s", text, got, ok, want)
		}
	})
}

func TestParseTimeReadsEpochDigits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		// From 2001, the first year with ten digits of seconds, to 2286, the last.
		seconds := rapid.Int64Range(1_000_000_000, 9_999_999_999).Draw(t, "seconds")
		got, ok := events.ParseTime(strconv.FormatInt(seconds, 10))
		if want := time.Unix(seconds, 0); !ok || !got.Equal(want) {
			t.Fatalf("seconds: got %s, %v, want %s", got, ok, want)
		}
		ms := seconds*1000 + rapid.Int64Range(0, 999).Draw(t, "milliseconds")
		got, ok = events.ParseTime(strconv.FormatInt(ms, 10))
		if want := time.UnixMilli(ms); !ok || !got.Equal(want) {
			t.Fatalf("milliseconds: got %s, %v, want %s", got, ok, want)
		}
	})
}

// A call with such a time would be too old for an alert.
func TestPromise3_ATimeThatIsNoneSilencesNobody(t *testing.T) {
	t.Parallel()
	for _, timestamp := range []string{`20260312`, `"20260312"`, `0`, `"1970-01-01T00:00:00Z"`, `"0001-01-01T05:00:00Z"`, `"1899-12-30 00:00:00"`, `"46093.6055"`} {
		d := decode(t, `{"event":"call.missed","timestamp":`+timestamp+`,"data":{"call_id":"c1"}}`)
		if at := d.KeyTime(); !at.IsZero() {
			t.Errorf("%s is %s", timestamp, at)
		}
	}
}
