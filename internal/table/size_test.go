package table_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/itemjson"
)

func str(s string) attr.Value { return attr.String(s) }

func num(s string) attr.Value { return attr.Number(s) }

func list(v ...attr.Value) attr.Value {
	return attr.List(v)
}

func TestSize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		value attr.Value
		want  int
	}{
		{"empty string", str(""), 0},
		{"string counts bytes", str("é😀"), 6},
		{"binary counts raw bytes", attr.Binary(make([]byte, 7)), 7},
		{"true", attr.Bool(true), 1},
		{"null", attr.Null{}, 1},
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
		{"map", attr.Map{"key": str("value")}, 3 + 1 + 3 + 5},
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
	config, name := tabletest.NewTable(t)
	service := awsclient.NewService(awsclient.DynamoDB, config)
	fill := func(v attr.Value) table.Item {
		return table.Item{
			table.PK: str("CALL#1"), table.SK: str("EVENT#1"),
			"value": v, "n1": num("0.0012"), "n2": num("-123456.7"), "n3": num("1200"),
			"map": attr.Map{"a": list(str("x"), num("12"), list())},
		}
	}
	for _, wrap := range []func(string) attr.Value{
		str,
		func(s string) attr.Value { return attr.Binary([]byte(s)) },
		func(s string) attr.Value { return list(str(s), list(str(s[:len(s)/2]))) },
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
			request, err := itemjson.Append([]byte(`{"TableName":"`+name+`","Item":`), item)
			if err != nil {
				t.Fatal(err)
			}
			_, err = service.Call(t.Context(), "PutItem", append(request, '}'))
			var answer *awsclient.APIError
			refused := errors.As(err, &answer) && answer.Code == "ValidationException"
			if err != nil && !refused {
				t.Fatal(err)
			}
			if tooLarge := errors.Is(table.Check(item), table.ErrTooLarge); tooLarge != refused {
				t.Errorf("item of %d bytes: too large = %t, refused by the table = %t", table.Size(item), tooLarge, refused)
			}
		}
	}
}
