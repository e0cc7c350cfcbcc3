package main_test

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/proof/clitest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table/schema"
)

func TestCreateTableMakesTheTableOfTheTemplate(t *testing.T) {
	// The account's own credentials must not be sent to a stand-in.
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHEACCOUNT")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-account")
	t.Setenv("AWS_SESSION_TOKEN", "session-of-the-account")

	var asked struct {
		TableName string `json:"TableName"`
		KeySchema []struct {
			AttributeName string `json:"AttributeName"`
			KeyType       string `json:"KeyType"`
		} `json:"KeySchema"`
		GlobalSecondaryIndexes []struct {
			IndexName string `json:"IndexName"`
		} `json:"GlobalSecondaryIndexes"`
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if err := json.Unmarshal(body, &asked); err != nil {
			t.Error(err)
		}
		if target := r.Header.Get("X-Amz-Target"); target != "DynamoDB_20120810.CreateTable" {
			t.Errorf("target %q", target)
		}
		if sent := r.Header.Get("Authorization"); !strings.Contains(sent, "Credential=local/") || r.Header.Get("X-Amz-Security-Token") != "" {
			t.Errorf("credentials of the account: %s", sent)
		}
		dynamoAnswer(w, http.StatusOK, `{"TableDescription":{"TableStatus":"CREATING"}}`)
	}))
	t.Cleanup(server.Close)

	got := createTable(t, server.URL, "--name", "mine")
	got.Exits(t, 0)
	got.Says(t, "table mine created at "+server.URL)
	shape := schema.Events()
	if asked.TableName != "mine" || len(asked.KeySchema) != 2 ||
		asked.KeySchema[0].AttributeName != shape.Key.Partition || asked.KeySchema[1].AttributeName != shape.Key.Sort {
		t.Errorf("asked for %+v", asked)
	}
	var want, indexes []string
	for _, index := range shape.Indexes {
		want = append(want, index.Name)
	}
	for _, index := range asked.GlobalSecondaryIndexes {
		indexes = append(indexes, index.IndexName)
	}
	if diff := cmp.Diff(want, indexes); diff != "" {
		t.Errorf("indexes (-want +got):\n%s", diff)
	}
}

func TestCreateTableSaysWhatDynamoDBAnswered(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		status int
		answer string
		code   int
		want   string
	}{
		{
			"already exists", http.StatusBadRequest,
			`{"__type":"com.amazonaws.dynamodb.v20120810#ResourceInUseException","message":"Table already exists: ringback-local"}`,
			0, "table ringback-local already exists",
		},
		{
			"refused", http.StatusBadRequest,
			`{"__type":"com.amazon.coral.validate#ValidationException","message":"Invalid table name"}`,
			1, "Invalid table name",
		},
		{"no DynamoDB", http.StatusNotFound, `<html>not here</html>`, 1, "make dynalite"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				dynamoAnswer(w, tc.status, tc.answer)
			}))
			t.Cleanup(server.Close)
			got := createTable(t, server.URL)
			got.Exits(t, tc.code)
			if tc.code == 0 {
				got.Says(t, tc.want)
			} else {
				got.Complains(t, tc.want, "ringback-local", server.URL)
			}
		})
	}
}

func TestCreateTableWithoutADynamoDBSaysHowToStartOne(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	got := createTable(t, server.URL)
	got.Exits(t, 1)
	got.Complains(t, server.URL, "connection refused", "make dynalite")
}

func TestCreateTableRefusesWhatItCannotUse(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"", "localhost:8000", "127.0.0.1:8000", "http://", "8000"} {
		got := createTable(t, endpoint)
		got.Exits(t, 1)
		got.Complains(t, "--endpoint", "http://127.0.0.1:8000")
	}
}

func TestCreateTableOnADynamoDB(t *testing.T) {
	t.Parallel()
	endpoint, name := tabletest.Endpoint(t), "ringback-"+rand.Text()
	got := createTable(t, endpoint, "--name", name)
	got.Exits(t, 0)
	got.Says(t, "created")
	client := dynamodb.NewFromConfig(awsclient.StandIn(endpoint))
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if _, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String(name)}); err != nil {
			t.Errorf("delete table: %v", err)
		}
	})
	described, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String(name)})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(described.Table.GlobalSecondaryIndexes), len(schema.Events().Indexes); got != want {
		t.Errorf("%d indexes, want %d", got, want)
	}
	got = createTable(t, endpoint, "--name", name)
	got.Exits(t, 0)
	got.Says(t, "already exists")
}

func createTable(t *testing.T, endpoint string, args ...string) clitest.Result {
	t.Helper()
	return program.Run(t, append([]string{"create-table", "--endpoint", endpoint}, args...)...)
}

func dynamoAnswer(w http.ResponseWriter, status int, answer string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer)
}
