package events

import (
	"slices"
	"strings"
	"sync"
	"unicode"
)

// withheldKeys are the numbers that JustCall's carrier sends for callers who hide
// their own. They spell words on a telephone's keys. See
// https://help.twilio.com/articles/223179988.
var withheldKeys = map[string]bool{
	"10000000000": true, // zeros behind North America's code
	"2562533":     true, // blocked
	"266696687":   true, // anonymous
	"7378742833":  true, // restricted
	"8656696":     true, // unknown
	"86282452253": true, // unavailable
}

// withheldWords say that a caller hides their number, or that there is none.
var withheldWords = map[string]bool{
	"anonymous": true, "blocked": true, "concealed": true, "hidden": true, "masked": true,
	"notavailable": true, "notprovided": true, "outofarea": true, "private": true, "restricted": true,
	"suppressed": true, "unavailable": true, "undisclosed": true, "unidentified": true, "unknown": true,
	"withheld": true,

	"nocaller": true, "nocallerid": true, "nocid": true, "nocli": true, "noid": true, "nonumber": true,

	"false": true, "na": true, "nan": true, "nil": true, "none": true, "null": true, "undefined": true,

	"anonim": true, "anonimo": true, "anonym": true, "anonyme": true, "anónimo": true, "anônimo": true,
	"desconhecido": true, "desconocido": true, "geheim": true, "inconnu": true, "masqué": true,
	"oculto": true, "onbekend": true, "privado": true, "privat": true, "privato": true, "privé": true,
	"sconosciuto": true, "unbekannt": true, "unterdrückt": true, "verborgen": true,
	"keine": true, "masquée": true, "sinnumero": true, "sinnúmero": true, "unbekannter": true, "неизвестен": true,
	"anonieme": true, "hemligt": true, "okänt": true, "skjult": true, "ukendt": true, "ukjent": true, "unbekannte": true,
	"zastrzeżony": true, "匿名": true, "未知": true, "未知号码": true,
	"скрыт": true, "скрытый": true, "非通知": true,
}

// moreWithheldWords are as withheldWords, in other languages or forms.
var moreWithheldWords = sync.OnceValue(func() map[string]bool {
	return wordSet(`
	afgeschermd anoniem anonimowy anonymer ascuns bilinmeyen caché dolt estetty
	geheime gizli gizlinumara hemlig hemmelig hemmeligt ismeretlen khôngxácđịnh nascosta nascosto naoidentificado
	necunoscut nepoznat neznáma neznáme neznámé neznámý nichtverfügbar nieznany nodisponible nonidentifié
	nãodisponível nãoidentificado onbekende prywatny rejtett riservato salainen skriven skryté skrytý soukromé sốriêng
	sốẩn titkos tuntematon ukryty unterdrückte verborgene verdeckt yksityinen özelnumara
	άγνωστη άγνωστο άγνωστος ανώνυμος απόκρυψη απόρρητος
	анонимный невідомий неизвестный неопределен неопределён прихований скрит
	ezkutua nomborperibadi nomorpribadi notdisclosed ocult paslėptas privada privát restringido restrito
	sinidentificar skrita skriveni skyddat slēpts supprimée tidakdikenal varjatud скривен скривени
	ไมทราบหมายเลข เบอรสวนตว अजञत नज شمارهخصوصی ناشناس نامعلوم
	חסוי לאידוע غيرمعروف مجهول محجوب رقمخاص
	未知來電 未知来电 未知號碼 私人号码 私人號碼 匿名來電 匿名来电 隐藏号码 隱藏號碼 无法显示 無法顯示
	非通知設定 通知不可能 表示圏外 발신번호표시제한 발신자표시제한 알수없음 익명`)
})

// withheldFillers stand before or behind a word of withheldWords and add nothing.
var withheldFillers = []string{
	"anrufer", "appelant", "appel", "beller", "oproep", "identité", "абонент", "номер",
	"αριθμός", "αριθμού", "מספר", "رقم", "شماره", "číslo", "szám", "număr", "numara", "broj", "број", "številka", "नबर",
	"chamada", "llamada", "nomor", "numeris", "numurs", "zenbaki",
	"caller", "calling", "call", "number", "phone", "party", "user", "name", "line", "cli", "id", "is",
	"by", "the", "presentation", "rufnummer", "nummer", "numero", "número", "numéro",
	"numer", // behind the words that begin with it
}

// Withheld reports whether a text in place of a number says that there is none: the
// caller hides it, or the member is a placeholder. A text that is neither a number nor
// withheld is something that JustCall knows and we do not.
func Withheld(text string) bool {
	if text = strings.TrimSpace(text); text == "" || text == "-1" {
		return true
	}
	if len(text) > maxWritten || hasNumber(text) {
		return false
	}
	subscriber, _ := subscriberOf(text)
	if strings.TrimFunc(subscriber, func(r rune) bool { return isFiller(r) || isPlus(r) }) == "" {
		return true
	}
	if digits := digitsOf(subscriber); digits != "" {
		return withheldKeys[withoutPrefix(digits)] || strings.Trim(digits, "0") == ""
	}
	if !strings.ContainsFunc(subscriber, unicode.IsDigit) && saysWithheld(onlyLetters(subscriber)) {
		return true
	}
	// Sometimes several words say it, or words and keys: "Restricted, Private".
	words := strings.FieldsFunc(subscriber, func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M, unicode.Nd) })
	return len(words) > 0 && !slices.ContainsFunc(words, func(word string) bool {
		return !withheldKeys[word] && (strings.ContainsFunc(word, unicode.IsDigit) || !saysWithheld(onlyLetters(word)))
	})
}

// saysWithheld reports whether letters are a word of withheldWords, with fillers.
func saysWithheld(letters string) bool {
	for !withheldWords[letters] && !moreWithheldWords()[letters] {
		rest := letters
		for _, filler := range withheldFillers {
			if rest = strings.TrimPrefix(letters, filler); rest != letters {
				break
			}
			if rest = strings.TrimSuffix(letters, filler); rest != letters {
				break
			}
		}
		if rest == letters {
			return false
		}
		letters = rest
	}
	return true
}
