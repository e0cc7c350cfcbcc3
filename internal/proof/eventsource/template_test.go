package eventsource_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/proof/tabletest"
)

const template = `
Globals:
  Function:
    Timeout: 10
Resources:
  Topic:
    Type: AWS::SNS::Topic
  Told:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 30
      Events:
        Http: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /}}
        Stream:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Table.StreamArn
            BatchSize: 25
            MaximumRetryAttempts: 0
            BisectBatchOnFunctionError: true
            ParallelizationFactor: 5
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria: {Filters: [{Pattern: '{"eventName":["INSERT"]}'}]}
  Silent:
    Properties:
      Events:
        Stream: {Type: DynamoDB, Properties: {Stream: !GetAtt Table.StreamArn}}
        Queue: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}
  Odd:
    Properties:
      Events:
        Stream: {Type: DynamoDB, Properties: {FilterCriteria: {Filters: [{Pattern: '{"eventName":"INSERT"}'}]}}}
`

func TestSettingsAreThoseOfTheTemplate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(path, []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}

	told, err := eventsource.Read(path, "Told", "DynamoDB")
	if err != nil {
		t.Fatal(err)
	}
	if told.Timeout != 30*time.Second || told.BatchSize != 25 || told.Retries != 0 || !told.Bisect || !told.Partial {
		t.Errorf("got %+v, want what the template says", told)
	}
	if !told.Filter.Match([]byte(`{"eventName":"INSERT"}`)) || told.Filter.Match([]byte(`{"eventName":"REMOVE"}`)) {
		t.Error("the filter is not the template's")
	}

	if told.Concurrency != 5 {
		t.Errorf("concurrency %d, want the template's", told.Concurrency)
	}
	if http, err := eventsource.Read(path, "Told", "HttpApi"); err != nil || http.Path != "/" {
		t.Errorf("the path is %q, %v, want that of the template", http.Path, err)
	}

	for source, batch := range map[string]int{"DynamoDB": 100, "SQS": 10} {
		silent, err := eventsource.Read(path, "Silent", source)
		if err != nil {
			t.Fatal(err)
		}
		if silent.Timeout != 10*time.Second || silent.BatchSize != batch || silent.Retries < 1<<20 || silent.Bisect || silent.Partial || silent.Concurrency != 1 {
			t.Errorf("%s: got %+v, want what Lambda takes where nothing is said", source, silent)
		}
	}

	if _, err := eventsource.Read(path, "Odd", "DynamoDB"); !errors.Is(err, eventsource.ErrPattern) {
		t.Errorf("a pattern that is none: %v, want ErrPattern", err)
	}
	for _, function := range []string{"Topic", "None"} {
		if _, err := eventsource.Read(path, function, "DynamoDB"); !errors.Is(err, eventsource.ErrTemplate) {
			t.Errorf("%s: %v, want ErrTemplate", function, err)
		}
	}
	if _, err := eventsource.Read(path+".none", "Told", "DynamoDB"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v, want ErrNotExist", err)
	}
}

// The tests of the functions rely on this.
func TestTheTemplateRetriesPartsOfBatches(t *testing.T) {
	t.Parallel()
	for function, source := range map[string]string{"AlertsFunction": "DynamoDB", "DrainFunction": "SQS"} {
		got, err := eventsource.Read(tabletest.TemplatePath(t), function, source)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Partial {
			t.Errorf("%s does not report batch item failures", function)
		}
		if got.Concurrency < 2 {
			t.Errorf("%s has concurrency %d: its tests need more than 1", function, got.Concurrency)
		}
		if source == "DynamoDB" && (!got.Bisect || got.Retries > 1<<20) {
			t.Errorf("%s: %+v, want bisection and an end of retries", function, got)
		}
	}
}
