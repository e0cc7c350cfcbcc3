package lambdaenv

// NewTransport is tested as it stands between aws-lambda-go and the Runtime API.
var NewTransport = newTransport
