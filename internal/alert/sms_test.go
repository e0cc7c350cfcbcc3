package alert_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
)

// The sizes are those of 3GPP TS 23.038.
func TestSMSAreCountedInSeptets(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text string
		want int // -1: not in the alphabet
	}{
		{"", 0},
		{"Hello, world!", 13},
		{"@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà", 42},
		{"^{}\\[~]|€", 18},
		{"a[b", 4},
		{"`", -1},
		{"ç", -1},
		{"á", -1},
		{"’", -1},
		{"…", -1},
		{"—", -1},
		{"\u00a0", -1},
		{"电", -1},
		{"😀", -1},
		{"\ufffd", -1},
		{"\xff", -1},
	} {
		n, ok := alert.Septets(tc.text)
		if ok != (tc.want >= 0) || ok && n != tc.want {
			t.Errorf("%q: %d, %t, want %d", tc.text, n, ok, tc.want)
		}
	}
	for text, want := range map[string]bool{
		strings.Repeat("a", 160): true, strings.Repeat("a", 161): false,
		strings.Repeat("[", 80): true, strings.Repeat("[", 80) + "a": false,
		strings.Repeat("电", 70): true, strings.Repeat("电", 71): false,
		strings.Repeat("😀", 35): true, strings.Repeat("😀", 35) + "a": false,
		strings.Repeat("a", 69) + "’": true, strings.Repeat("a", 70) + "’": false,
	} {
		if got := alert.FitsSMS(text); got != want {
			t.Errorf("%q fits: %t, want %t", text, got, want)
		}
	}
}

func TestAnSMSIsOneAndSaysWhatMattersMost(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.March, 12, 14, 32, 0, 0, time.UTC)
	const number = "+14155550144"
	for _, tc := range []struct {
		name               string
		who, company, line string
		text               string
		want               string
	}{
		{
			"all of it", "Pat Smith", "Globex", "Support", "Please call me back.",
			"Voicemail: Pat Smith (Globex) +14155550144 on Support, 14:32 UTC: Please call me back.",
		},
		{
			"plain signs for typographic ones", "Pat O’Brien", "", "Support – Sales", "It’s “urgent”… call «me» — now •",
			`Voicemail: Pat O'Brien +14155550144 on Support - Sales, 14:32 UTC: It's "urgent"... call "me" - now -`,
		},
		{
			"brackets count twice", "Pat [VIP]", "", "Support", strings.Repeat("[]", 60),
			"Voicemail: Pat [VIP] +14155550144 on Support, 14:32 UTC: " + strings.Repeat("[]", 24) + "[...",
		},
		{
			"an emoji that would leave 70 characters", "Pat 😀", "", "Support", "Please call me back about the contract that we spoke of. 👍🏽 Thanks!",
			"Voicemail: Pat +14155550144 on Support, 14:32 UTC: Please call me back about the contract that we spoke of. Thanks!",
		},
		{
			"an emoji that has room", "Pat 😀", "", "", "Hi",
			"Voicemail: Pat 😀 +14155550144, 14:32 UTC: Hi",
		},
		{
			"a text in Chinese", "", "", "客服", "请尽快给我回电话关于上周五的合同问题谢谢请尽快给我回电话谢谢",
			"Voicemail: +14155550144 on 客服, 14:32 UTC: 请尽快给我回电话关于上周五的合同问题谢谢请尽快给我...",
		},
		{
			"a name in Persian", "علی\u200cرضا", "", "", "",
			"Voicemail: علی\u200cرضا +14155550144, 14:32 UTC",
		},
		{
			"a joiner in Latin letters", "Kauf\u200cleute", "", "", "",
			"Voicemail: Kaufleute +14155550144, 14:32 UTC",
		},
		{
			"an accent leaves 70 characters", "Seán O'Brien", "Globex Corporation", "Support", "Please call me back.",
			"Voicemail: Seán O'Brien +14155550144 on Support, 14:32 UTC: Please...",
		},
		{
			"a family is not separated", "", "", "", strings.Repeat("👩\u200d👩\u200d👧", 9) + "电",
			"Voicemail: +14155550144, 14:32 UTC: " + strings.Repeat("👩\u200d👩\u200d👧", 3) + "...",
		},
		{
			"what could not be read", "Pat \ufffd", "", "", "",
			"Voicemail: Pat +14155550144, 14:32 UTC",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := alert.Style{}.Message(alert.Alert{
				Kind: events.KindVoicemail, Caller: number, CallerName: tc.who, Company: tc.company, LineName: tc.line,
				OccurredAt: at, ReceivedAt: at, Transcription: tc.text,
			})
			if m.SMS != tc.want {
				t.Errorf("got  %q\nwant %q", m.SMS, tc.want)
			}
			if !alert.FitsSMS(m.SMS) {
				t.Errorf("more than one message: %q", m.SMS)
			}
		})
	}
}

// What leads to the caller is kept, whatever else has to go.
func TestPromise2_AnAlertAlwaysSaysWhomToCall(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.March, 12, 14, 32, 0, 0, time.UTC)
	a := alert.Alert{
		Kind: events.KindMissedCall, MissedTimes: 1000, OccurredAt: at, ReceivedAt: at.Add(24 * time.Hour),
		CallerName: strings.Repeat("电", 100), Company: strings.Repeat("😀", 100), LineName: strings.Repeat("客", 100),
	}
	for _, tc := range []struct{ name, caller, extension, text, want string }{
		{"a long one with an extension", "+123456789012345", "123456789012", "", "+123456789012345 ext. 123456789012"},
		{"what was sent", "", "", "sip:reception@pbx.example.com", "sip:reception@pbx.example.com"},
		{"what was sent, as far as there is room", "", "", strings.Repeat("☎", 80), strings.Repeat("☎", 38)},
		{"a short one", "", "", "12", " 12"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := a
			a.Caller, a.Extension, a.CallerText = tc.caller, tc.extension, tc.text
			m := alert.Style{}.Message(a)
			if !strings.Contains(m.SMS, tc.want) || !alert.FitsSMS(m.SMS) {
				t.Errorf("text message %q, want %q in it", m.SMS, tc.want)
			}
			if !strings.Contains(m.Subject, tc.want) {
				t.Errorf("subject %q, want %q in it", m.Subject, tc.want)
			}
		})
	}
}
