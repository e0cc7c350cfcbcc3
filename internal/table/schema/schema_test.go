package schema_test

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/golden"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/schema"
)

// The file is generated, so programs need not read the template.
func TestTheGeneratedTableIsTheTemplates(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	b.WriteString("// Code generated from template.yaml by \"make generate\"; DO NOT EDIT.\n\npackage schema\n\n" +
		"// Events returns the shape of the events table.\nfunc Events() Table {\nreturn ")
	shape := readTemplate(t)
	fmt.Fprintf(&b, "Table{\nKey: %s,\nIndexes: []Index{\n", literal(shape.Key))
	for _, i := range shape.Indexes {
		fmt.Fprintf(&b, "{Name: %q, Key: %s, All: %t, Include: %#v},\n", i.Name, literal(i.Key), i.All, i.Include)
	}
	fmt.Fprintf(&b, "},\nExpiresAt: %q,\n}\n}\n", shape.ExpiresAt)
	text, err := format.Source(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "events.go", text)
}

func literal(k schema.Key) string {
	return fmt.Sprintf("Key{Partition: %q, Sort: %q}", k.Partition, k.Sort)
}

// The template and the constants are the two places that name the keys: one
// for CloudFormation, one for Go.
func TestTemplateAndConstantsAgree(t *testing.T) {
	t.Parallel()
	got := readTemplate(t)
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

// What these leave out cannot be put in later.
func TestTheProjections(t *testing.T) {
	t.Parallel()
	const most = 20 // of DynamoDB, per index
	for _, index := range schema.Events().Indexes {
		if len(index.Include) > most {
			t.Errorf("%s has %d attributes, at most %d are possible", index.Name, len(index.Include), most)
		}
		if !slices.Contains(index.Include, table.ExpiresAt) {
			t.Errorf("%s does not tell what has expired", index.Name)
		}
		if index.Name != string(table.GSI3) {
			continue
		}
		want := []string{
			table.State, table.Since, table.Latest, table.Count, table.Attempts, table.Level, table.Claim, table.ClaimedUntil,
			table.SnoozedUntil, table.Call, table.Outcome, table.Line, table.LineName, table.CallerName, table.Name, table.Company,
			table.Words, table.RecordingURL, table.OtherNumber, table.ExpiresAt,
		}
		if diff := cmp.Diff(want, index.Include); diff != "" {
			t.Errorf("attributes of a follow-up (-constants +template):\n%s", diff)
		}
	}
}

// readTemplate reads the events table from template.yaml. A key that is not a
// string, and a projection that the stores do not support, fail the test. See
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html.
func readTemplate(t *testing.T) schema.Table {
	t.Helper()
	text, err := os.ReadFile(tabletest.TemplatePath(t))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Resources map[string]struct {
			Properties struct {
				AttributeDefinitions []struct {
					AttributeName string `yaml:"AttributeName"`
					AttributeType string `yaml:"AttributeType"`
				} `yaml:"AttributeDefinitions"`
				KeySchema              keySchema `yaml:"KeySchema"`
				GlobalSecondaryIndexes []struct {
					IndexName  string    `yaml:"IndexName"`
					KeySchema  keySchema `yaml:"KeySchema"`
					Projection struct {
						ProjectionType   string   `yaml:"ProjectionType"`
						NonKeyAttributes []string `yaml:"NonKeyAttributes"`
					} `yaml:"Projection"`
				} `yaml:"GlobalSecondaryIndexes"`
				TimeToLiveSpecification struct {
					AttributeName string `yaml:"AttributeName"`
				} `yaml:"TimeToLiveSpecification"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	p := doc.Resources["EventsTable"].Properties
	for _, a := range p.AttributeDefinitions {
		if a.AttributeType != "S" {
			t.Errorf("%s: type %s: every key is a string", a.AttributeName, a.AttributeType)
		}
	}
	shape := schema.Table{Key: p.KeySchema.key(t), ExpiresAt: p.TimeToLiveSpecification.AttributeName}
	for _, i := range p.GlobalSecondaryIndexes {
		index := schema.Index{Name: i.IndexName, Key: i.KeySchema.key(t)}
		switch i.Projection.ProjectionType {
		case "ALL":
			index.All = true
		case "INCLUDE":
			index.Include = i.Projection.NonKeyAttributes
		case "KEYS_ONLY":
		default:
			t.Fatalf("index %s: projection %q", i.IndexName, i.Projection.ProjectionType)
		}
		shape.Indexes = append(shape.Indexes, index)
	}
	return shape
}

type keySchema []struct {
	AttributeName string `yaml:"AttributeName"`
	KeyType       string `yaml:"KeyType"`
}

func (s keySchema) key(t *testing.T) schema.Key {
	t.Helper()
	if len(s) != 2 || s[0].KeyType != "HASH" || s[1].KeyType != "RANGE" {
		t.Fatalf("key schema %v: want a HASH and a RANGE key", s)
	}
	return schema.Key{Partition: s[0].AttributeName, Sort: s[1].AttributeName}
}
