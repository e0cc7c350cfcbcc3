package lambdaenv

// NewTransport lets a test see what is written to a connection.
var NewTransport = newTransport
