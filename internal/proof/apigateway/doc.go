// Package apigateway plays API Gateway's HTTP API in front of a Lambda function, so
// that tests can post to a real function binary as JustCall does. It is no part
// of what is deployed.
//
// What it copies is documented, or was seen by the people who keep AWS's own
// stand-in, github.com/aws/aws-lambda-dotnet/Tools/LambdaTestTool-v2:
//
//   - The event has payload format 2.0. Names of headers are in lower case and
//     those that come twice are joined by commas, as parameters of the query are;
//     the raw path and the path's parameters are without percent signs.
//     https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
//   - An answer that is an object with a status code is the response. Any other,
//     even an empty one, is the body of a 200: a function that forgets its status
//     code says that all is well.
//   - A function that fails, crashes or runs out of its own time is answered 500,
//     {"message":"Internal Server Error"}.
//   - The API itself waits 30 s for a function, answers 503, {"message":"Service
//     Unavailable"}, and does not stop it.
//     https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
//   - What matches no route is answered 404, {"message":"Not Found"}, and a body
//     over 10 MB 413; the function hears of neither.
//
// Where the documents leave it open: a body comes in base64 if it is not UTF-8 or
// if its media type is none of a text.
package apigateway
