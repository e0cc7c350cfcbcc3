package table_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/tabletest"
)

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func num(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }

func list(v ...types.AttributeValue) types.AttributeValue {
	return &types.AttributeValueMemberL{Value: v}
}

func TestSize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		value types.AttributeValue
		want  int
	}{
		{"empty string", str(""), 0},
		{"string counts bytes", str("é😀"), 6},
		{"binary counts raw bytes", &types.AttributeValueMemberB{Value: make([]byte, 7)}, 7},
		{"true", &types.AttributeValueMemberBOOL{Value: true}, 1},
		{"null", &types.AttributeValueMemberNULL{Value: true}, 1},
		{"zero", num("0"), 1},
		{"one digit", num("7"), 2},
		{"one pair", num("42"), 2},
		{"a pair across the point", num("4.2"), 3},
		{"three digits", num("123"), 3},
		{"zeros at the ends do not count", num("0012300.00"), 3},
		{"a sign counts", num("-42"), 3},
		{"exponent", num("42e2"), 2},
		{"38 digits", num("12345678901234567890123456789012345678"), 20},
		{"empty list", list(), 3},
		{"list", list(str("ab"), num("1")), 3 + 2 + 2 + 2},
		{"map", &types.AttributeValueMemberM{Value: table.Item{"key": str("value")}}, 3 + 1 + 3 + 5},
		{"nested", list(list(str("a"))), 3 + 1 + 3 + 1 + 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := table.Size(table.Item{"name": c.value}); got != len("name")+c.want {
				t.Errorf("Size = %d, want %d and 4 for the name", got, c.want)
			}
		})
	}
}

// The server is asked without the check of our own before it.
func TestDynamoDBCountsSizesAlike(t *testing.T) {
	t.Parallel()
	client, name := tabletest.NewTable(t)
	fill := func(v types.AttributeValue) table.Item {
		return table.Item{
			table.PK: str("CALL#1"), table.SK: str("EVENT#1"),
			"value": v, "n1": num("0.0012"), "n2": num("-123456.7"), "n3": num("1200"),
			"map": &types.AttributeValueMemberM{Value: table.Item{"a": list(str("x"), num("12"), list())}},
		}
	}
	for _, wrap := range []func(string) types.AttributeValue{
		str,
		func(s string) types.AttributeValue { return &types.AttributeValueMemberB{Value: []byte(s)} },
		func(s string) types.AttributeValue { return list(str(s), list(str(s[:len(s)/2]))) },
	} {
		// Find the padding that fills the item exactly, or all but one byte.
		n := 0
		for step := table.MaxItemSize; step > 0; step /= 2 {
			for table.Size(fill(wrap(strings.Repeat("x", n+step)))) <= table.MaxItemSize {
				n += step
			}
		}
		for _, more := range []int{0, 1} {
			item := fill(wrap(strings.Repeat("x", n+more)))
			_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: item})
			var answer smithy.APIError
			refused := errors.As(err, &answer) && answer.ErrorCode() == "ValidationException"
			if err != nil && !refused {
				t.Fatal(err)
			}
			if tooLarge := errors.Is(table.Check(item), table.ErrTooLarge); tooLarge != refused {
				t.Errorf("item of %d bytes: too large = %t, refused by the table = %t", table.Size(item), tooLarge, refused)
			}
		}
	}
}

func TestNormalNumberIsStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`-?[0-9]{1,20}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "number")
		once, err := table.NormalNumber(s)
		if err != nil {
			t.Fatalf("NormalNumber(%q): %v", s, err)
		}
		twice, err := table.NormalNumber(once)
		if err != nil || twice != once {
			t.Errorf("NormalNumber(%q) = %q, again %q, %v", s, once, twice, err)
		}
		if a, b := table.Size(table.Item{"n": num(s)}), table.Size(table.Item{"n": num(once)}); a != b {
			t.Errorf("Size of %q = %d, of %q = %d", s, a, once, b)
		}
	})
}

func FuzzNormalNumber(f *testing.F) {
	for _, s := range []string{"0", "-1.5e3", "1e126", "", "-", ".", "1.", "1e", "٣", "1e99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := table.NormalNumber(s)
		if err != nil && !errors.Is(err, table.ErrValue) {
			t.Errorf("NormalNumber(%q): %v", s, err)
		}
		if err == nil && len(n) > 180 {
			t.Errorf("NormalNumber(%q) = %q", s, n)
		}
	})
}
