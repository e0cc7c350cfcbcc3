package dynamo

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// attributes returns an item that [table.Check] has passed, in the SDK's types.
func attributes(item attr.Map) map[string]types.AttributeValue {
	all := make(map[string]types.AttributeValue, len(item))
	for name, v := range item {
		all[name] = attribute(v)
	}
	return all
}

func attribute(v attr.Value) types.AttributeValue {
	switch v := v.(type) {
	case attr.String:
		return str(string(v))
	case attr.Number:
		return &types.AttributeValueMemberN{Value: string(v)}
	case attr.Binary:
		return &types.AttributeValueMemberB{Value: v}
	case attr.Bool:
		return &types.AttributeValueMemberBOOL{Value: bool(v)}
	case attr.Map:
		return &types.AttributeValueMemberM{Value: attributes(v)}
	case attr.List:
		all := make([]types.AttributeValue, len(v))
		for i, e := range v {
			all[i] = attribute(e)
		}
		return &types.AttributeValueMemberL{Value: all}
	default:
		return &types.AttributeValueMemberNULL{Value: true}
	}
}

func str(text string) types.AttributeValue { return &types.AttributeValueMemberS{Value: text} }

// Item returns what the SDK read. A set, which nothing here writes but a person
// may, becomes the list of its members.
func Item(all map[string]types.AttributeValue) table.Item {
	item := make(table.Item, len(all))
	for name, v := range all {
		item[name] = value(v)
	}
	return item
}

func value(v types.AttributeValue) attr.Value {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return attr.String(v.Value)
	case *types.AttributeValueMemberN:
		return attr.Number(v.Value)
	case *types.AttributeValueMemberB:
		return attr.Binary(v.Value)
	case *types.AttributeValueMemberBOOL:
		return attr.Bool(v.Value)
	case *types.AttributeValueMemberM:
		return attr.Map(Item(v.Value))
	case *types.AttributeValueMemberL:
		return list(v.Value, value)
	case *types.AttributeValueMemberSS:
		return list(v.Value, func(s string) attr.Value { return attr.String(s) })
	case *types.AttributeValueMemberNS:
		return list(v.Value, func(s string) attr.Value { return attr.Number(s) })
	case *types.AttributeValueMemberBS:
		return list(v.Value, func(b []byte) attr.Value { return attr.Binary(b) })
	default:
		return attr.Null{}
	}
}

func list[T any](members []T, of func(T) attr.Value) attr.List {
	all := make(attr.List, len(members))
	for i, member := range members {
		all[i] = of(member)
	}
	return all
}
