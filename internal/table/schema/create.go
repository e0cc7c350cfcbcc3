package schema

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// CreateTableInput returns the CreateTable request for a table of this shape, for
// local stand-ins.
func (t Table) CreateTableInput(name string) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName:            aws.String(name),
		BillingMode:          types.BillingModePayPerRequest,
		KeySchema:            t.Key.elements(),
		AttributeDefinitions: t.Key.definitions(),
	}
	for _, index := range t.Indexes {
		projection := &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}
		switch {
		case index.All:
			projection.ProjectionType = types.ProjectionTypeAll
		case len(index.Include) > 0:
			projection.ProjectionType = types.ProjectionTypeInclude
			projection.NonKeyAttributes = index.Include
		}
		in.AttributeDefinitions = append(in.AttributeDefinitions, index.Key.definitions()...)
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName:  aws.String(index.Name),
			KeySchema:  index.Key.elements(),
			Projection: projection,
		})
	}
	return in
}

func (k Key) elements() []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: aws.String(k.Partition), KeyType: types.KeyTypeHash},
		{AttributeName: aws.String(k.Sort), KeyType: types.KeyTypeRange},
	}
}

func (k Key) definitions() []types.AttributeDefinition {
	return []types.AttributeDefinition{
		{AttributeName: aws.String(k.Partition), AttributeType: types.ScalarAttributeTypeS},
		{AttributeName: aws.String(k.Sort), AttributeType: types.ScalarAttributeTypeS},
	}
}
