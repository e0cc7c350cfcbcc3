package schema_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/schema"
)

// template has what may stand around the table and within it.
const template = `
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Name: {Type: String}
Conditions:
  Named: !Not [!Equals [!Ref Name, ""]]
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Environment:
        Variables:
          TABLE_NAME: !Ref EventsTable
      Policies:
        - Statement:
            Resource: !GetAtt EventsTable.Arn
  EventsTable:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    Properties:
      TableName: !If [Named, !Sub "${Name}-events", !Ref AWS::NoValue]
      TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
      AttributeDefinitions:
        - {AttributeName: PK, AttributeType: S}
        - {AttributeName: SK, AttributeType: S}
        - {AttributeName: A, AttributeType: S}
        - {AttributeName: B, AttributeType: S}
      KeySchema:
        - {AttributeName: PK, KeyType: HASH}
        - {AttributeName: SK, KeyType: RANGE}
      GlobalSecondaryIndexes:
        - IndexName: Whole
          KeySchema:
            - {AttributeName: A, KeyType: HASH}
            - {AttributeName: B, KeyType: RANGE}
          Projection: {ProjectionType: ALL}
        - IndexName: Some
          KeySchema:
            - {AttributeName: B, KeyType: HASH}
            - {AttributeName: SK, KeyType: RANGE}
          Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [event, from]}
        - IndexName: Keys
          KeySchema:
            - {AttributeName: B, KeyType: HASH}
            - {AttributeName: A, KeyType: RANGE}
          Projection: {ProjectionType: KEYS_ONLY}
Outputs:
  Stream: {Value: !GetAtt EventsTable.StreamArn}
`

func TestParse(t *testing.T) {
	t.Parallel()
	want := schema.Table{
		Key:       schema.Key{Partition: "PK", Sort: "SK"},
		ExpiresAt: "expires_at",
		Indexes: []schema.Index{
			{Name: "Whole", Key: schema.Key{Partition: "A", Sort: "B"}, All: true},
			{Name: "Some", Key: schema.Key{Partition: "B", Sort: "SK"}, Include: []string{"event", "from"}},
			{Name: "Keys", Key: schema.Key{Partition: "B", Sort: "A"}},
		},
	}
	got, err := schema.Parse([]byte(template))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
}

func TestParseRefusesWhatTheStoresCannotKeep(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, old, replacement string }{
		{"no table", "EventsTable:\n", "OtherTable:\n"},
		{"a number as key", "AttributeName: SK, AttributeType: S}", "AttributeName: SK, AttributeType: N}"},
		{"a key that is not defined", "{AttributeName: A, AttributeType: S}", "{AttributeName: C, AttributeType: S}"},
		{"a table without a sort key", "- {AttributeName: SK, KeyType: RANGE}\n      Global", "\n      Global"},
		{"keys in the wrong order", "- {AttributeName: A, KeyType: HASH}", "- {AttributeName: A, KeyType: RANGE}"},
		{"an unknown projection", "ProjectionType: ALL", "ProjectionType: FEW"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			changed := strings.Replace(template, c.old, c.replacement, 1)
			if changed == template {
				t.Fatal("nothing changed")
			}
			if _, err := schema.Parse([]byte(changed)); !errors.Is(err, schema.ErrTemplate) {
				t.Errorf("Parse: %v, want %v", err, schema.ErrTemplate)
			}
		})
	}
	if _, err := schema.Parse([]byte("a: [")); err == nil {
		t.Error("Parse of broken YAML: no error")
	}
}

func TestReadNamesTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "template.yaml")
	if _, err := schema.Read(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Read: %v, want %v", err, os.ErrNotExist)
	}
	if err := os.WriteFile(path, []byte("Resources: {}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := schema.Read(path); !errors.Is(err, schema.ErrTemplate) || !strings.Contains(err.Error(), path) {
		t.Errorf("Read: %v, want %v and the path", err, schema.ErrTemplate)
	}
}

// The template and the constants are the two places that name the keys: one
// for CloudFormation, one for Go.
func TestTemplateAndConstantsAgree(t *testing.T) {
	t.Parallel()
	got := tabletest.Schema(t)
	if diff := cmp.Diff(schema.Key{Partition: table.PK, Sort: table.SK}, got.Key); diff != "" {
		t.Errorf("table key (-constants +template):\n%s", diff)
	}
	if got.ExpiresAt != table.ExpiresAt {
		t.Errorf("time to live in %q, want %q", got.ExpiresAt, table.ExpiresAt)
	}
	want := map[string]schema.Key{}
	for _, index := range table.Indexes() {
		partition, sort := index.Attributes()
		want[string(index)] = schema.Key{Partition: partition, Sort: sort}
	}
	keys := map[string]schema.Key{}
	for _, index := range got.Indexes {
		keys[index.Name] = index.Key
	}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Errorf("index keys (-constants +template):\n%s", diff)
	}
}
