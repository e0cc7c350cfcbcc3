package main

// Exported for tests.
var (
	Main     = main
	Run      = run
	Progress = progress
)

// SigningSecretEnv names the variable with the signing secret.
const SigningSecretEnv = signingSecretEnv
