package schema

import (
	"errors"
	"fmt"
	"os"

	"github.com/goccy/go-yaml"
)

// Resource is the logical ID of the table in the template.
const Resource = "EventsTable"

// ErrTemplate says that a template has no usable table in it.
var ErrTemplate = errors.New("no usable " + Resource + " in the template")

// Table is the shape of the events table.
type Table struct {
	Key     Key
	Indexes []Index

	// ExpiresAt names the attribute with the time to live, if there is one.
	ExpiresAt string
}

// Key names a partition and a sort key attribute. Both hold strings.
type Key struct {
	Partition, Sort string
}

// Index is a global secondary index.
type Index struct {
	Name string
	Key  Key

	// All says that the index holds whole items. Otherwise it holds the keys,
	// its own and the table's, and the attributes that Include names.
	All     bool
	Include []string
}

// Read reads the table from the template at path.
func Read(path string) (Table, error) {
	text, err := os.ReadFile(path) //nolint:gosec // G304: the template's path is the caller's to choose
	if err != nil {
		return Table{}, fmt.Errorf("read template: %w", err)
	}
	t, err := Parse(text)
	if err != nil {
		return Table{}, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Parse reads the table from the text of a template. Its errors wrap
// ErrTemplate, unless the text is not YAML at all.
//
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
func Parse(template []byte) (Table, error) {
	var doc document
	if err := yaml.Unmarshal(template, &doc); err != nil {
		return Table{}, fmt.Errorf("parse template: %w", err)
	}
	p := doc.Resources[Resource].Properties

	kinds := make(map[string]string, len(p.AttributeDefinitions))
	for _, a := range p.AttributeDefinitions {
		kinds[a.AttributeName] = a.AttributeType
	}
	key, err := p.KeySchema.key(kinds)
	if err != nil {
		return Table{}, err
	}

	t := Table{Key: key, ExpiresAt: p.TimeToLiveSpecification.AttributeName}
	for _, i := range p.GlobalSecondaryIndexes {
		index, err := i.index(kinds)
		if err != nil {
			return Table{}, fmt.Errorf("index %q: %w", i.IndexName, err)
		}
		t.Indexes = append(t.Indexes, index)
	}
	return t, nil
}

// document is the part of a template that matters here. Other resources may
// hold anything, CloudFormation's own tags included.
type document struct {
	Resources map[string]struct {
		Properties properties `yaml:"Properties"`
	} `yaml:"Resources"`
}

type properties struct {
	AttributeDefinitions []struct {
		AttributeName string `yaml:"AttributeName"`
		AttributeType string `yaml:"AttributeType"`
	} `yaml:"AttributeDefinitions"`
	KeySchema               keySchema `yaml:"KeySchema"`
	GlobalSecondaryIndexes  []gsi     `yaml:"GlobalSecondaryIndexes"`
	TimeToLiveSpecification struct {
		AttributeName string `yaml:"AttributeName"`
	} `yaml:"TimeToLiveSpecification"`
}

type gsi struct {
	IndexName  string    `yaml:"IndexName"`
	KeySchema  keySchema `yaml:"KeySchema"`
	Projection struct {
		ProjectionType   string   `yaml:"ProjectionType"`
		NonKeyAttributes []string `yaml:"NonKeyAttributes"`
	} `yaml:"Projection"`
}

func (g gsi) index(kinds map[string]string) (Index, error) {
	key, err := g.KeySchema.key(kinds)
	if err != nil {
		return Index{}, err
	}
	index := Index{Name: g.IndexName, Key: key}
	switch g.Projection.ProjectionType {
	case "ALL":
		index.All = true
	case "INCLUDE":
		index.Include = g.Projection.NonKeyAttributes
	case "KEYS_ONLY":
	default:
		return Index{}, fmt.Errorf("%w: projection %q", ErrTemplate, g.Projection.ProjectionType)
	}
	return index, nil
}

type keySchema []struct {
	AttributeName string `yaml:"AttributeName"`
	KeyType       string `yaml:"KeyType"`
}

func (s keySchema) key(kinds map[string]string) (Key, error) {
	if len(s) != 2 || s[0].KeyType != "HASH" || s[1].KeyType != "RANGE" {
		return Key{}, fmt.Errorf("%w: want a HASH and a RANGE key", ErrTemplate)
	}
	for _, k := range s {
		if kinds[k.AttributeName] != "S" {
			return Key{}, fmt.Errorf("%w: key %q is not a string", ErrTemplate, k.AttributeName)
		}
	}
	return Key{Partition: s[0].AttributeName, Sort: s[1].AttributeName}, nil
}
