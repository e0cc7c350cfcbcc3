package events

import "bytes"

// mentions are what names a caller whom nobody served, in small letters without
// separators.
var mentions = [][]byte{
	[]byte("abandoned"), []byte("hungup"), []byte("missed"), []byte("noanswer"), []byte("notanswered"), []byte("unanswered"),
	[]byte("voicemail"),
}

// MentionsMissedCall reports whether a body that cannot be read has the words of a
// missed call or a voicemail in it, in any letter case and with the separators that
// event names have. It may be wrong: it is for a person to look.
func MentionsMissedCall(body []byte) bool {
	const longest = len("notanswered")
	letters := make([]byte, 0, 2*longest)
	for _, c := range body {
		switch {
		case isLetter(c):
			if len(letters) == cap(letters) {
				letters = append(letters[:0], letters[longest:]...)
			}
			letters = append(letters, c|0x20)
			for _, word := range mentions {
				if bytes.HasSuffix(letters, word) {
					return true
				}
			}
		case bytes.IndexByte([]byte(" ._-:/\x00"), c) >= 0: // NUL: UTF-16
		default:
			letters = letters[:0]
		}
	}
	return false
}
