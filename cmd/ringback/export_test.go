package main

// Exported for tests.
var (
	Main = main
	Run  = run
)

// SigningSecretEnv names the variable that "send --sign" reads.
const SigningSecretEnv = signingSecretEnv

// Address is the pattern of an e-mail address.
var Address = address.String()
