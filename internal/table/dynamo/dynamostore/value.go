package dynamostore

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// attributes converts an item to the SDK's types. The error wraps [table.ErrValue].
func attributes(item attr.Map) (map[string]types.AttributeValue, error) {
	all := make(map[string]types.AttributeValue, len(item))
	for name, v := range item {
		var err error
		if all[name], err = attribute(v); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func attribute(v attr.Value) (types.AttributeValue, error) {
	switch v := v.(type) {
	case attr.String:
		return str(string(v)), nil
	case attr.Number:
		return &types.AttributeValueMemberN{Value: string(v)}, nil
	case attr.Binary:
		return &types.AttributeValueMemberB{Value: v}, nil
	case attr.Bool:
		return &types.AttributeValueMemberBOOL{Value: bool(v)}, nil
	case attr.Map:
		all, err := attributes(v)
		return &types.AttributeValueMemberM{Value: all}, err
	case attr.List:
		all := make([]types.AttributeValue, len(v))
		for i, e := range v {
			var err error
			if all[i], err = attribute(e); err != nil {
				return nil, err
			}
		}
		return &types.AttributeValueMemberL{Value: all}, nil
	case attr.Null:
		return &types.AttributeValueMemberNULL{Value: true}, nil
	default:
		return nil, fmt.Errorf("%w: kind %T", table.ErrValue, v)
	}
}

func str(text string) types.AttributeValue { return &types.AttributeValueMemberS{Value: text} }

// Item converts an item from the SDK's types. A set becomes a list: no code here
// writes sets, but a person may.
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
