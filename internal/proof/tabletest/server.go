package tabletest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/itemjson"
)

// Serve returns the endpoint of a table on loopback that function binaries can
// write to until the test ends. It knows only PutItem, with the store's one
// condition. It passes every item to put, whose context ends when the client gives
// up. An error of put becomes an error of the service.
func Serve(t testing.TB, put PutFunc) (endpoint string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		body, err := io.ReadAll(r.Body)
		var request struct {
			Item                jsontext.Value `json:"Item"`
			ConditionExpression string         `json:"ConditionExpression"`
		}
		if err == nil {
			err = json.Unmarshal(body, &request)
		}
		if err != nil || r.Header.Get("X-Amz-Target") != "DynamoDB_20120810.PutItem" ||
			!strings.HasPrefix(request.ConditionExpression, "attribute_not_exists("+table.PK+")") {
			fault(w, http.StatusBadRequest, "ValidationException")
			return
		}
		item, err := itemjson.Decode(request.Item)
		if err != nil {
			fault(w, http.StatusBadRequest, "SerializationException")
			return
		}
		switch created, err := put(r.Context(), item); {
		case err != nil:
			fault(w, http.StatusInternalServerError, "InternalServerError")
		case !created:
			fault(w, http.StatusBadRequest, "ConditionalCheckFailedException")
		default:
			_, _ = io.WriteString(w, "{}")
		}
	}))
	t.Cleanup(func() {
		server.CloseClientConnections() // put may wait for that
		server.Close()
	})
	return server.URL
}

func fault(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#`+code+`","message":""}`)
}
